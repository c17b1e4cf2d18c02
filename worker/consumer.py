"""Celery's consumer, which outlives a Redis that goes away in the middle of the work."""

import warnings
from typing import Any

from celery.exceptions import CPendingDeprecationWarning
from kombu import Connection

from worker.messages import take_safely
from worker.unacked import LastingQoS
from worker.unreadable import ForgivingConsumer

# Said at every loss of the connection; the value that it recommends is set (config/celery_values.py).
warnings.filterwarnings("ignore", message=r"\s*In Celery 5\.1", category=CPendingDeprecationWarning)


class LastingConsumer(ForgivingConsumer):
    """Celery's own gives its unacknowledged messages back over the connection that just broke, and ends the worker
    where that raises an AttributeError (kombu 5.7 makes a new client for it from a transport that is gone).

    Here they stay in Redis: after the visibility timeout they are given to another, and what was done meanwhile is
    not done again.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        # Workers have nothing to tell each other: Redis holds the truth. Gossip fails with every connection.
        super().__init__(*args, **{**options, "without_gossip": True})

    def on_send_event_buffered(self) -> Any:
        """Celery would wake its loop and publish each event by itself: the pacer publishes what has gathered, in
        each of its turns, and whoever fills the buffer does."""

    def ensure_connected(self, conn: Connection) -> Connection:
        connection: Connection = super().ensure_connected(conn)
        channel: Any = connection.default_channel
        channel.QoS = LastingQoS
        take_safely(channel)
        return connection

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        tasks: Any = getattr(self, "task_consumer", None)
        if tasks is not None:
            tasks.channel.do_restore = False
        super().on_connection_error_after_connected(exc)
