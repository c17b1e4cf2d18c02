"""Celery's consumer, which outlives a Redis that goes away in the middle of the work."""

from typing import Any

from worker.unreadable import ForgivingConsumer


class LastingConsumer(ForgivingConsumer):
    """Celery's own gives its unacknowledged messages back over the connection that just broke, and ends the worker
    where that raises an AttributeError (kombu 5.7 makes a new client for it from a transport that is gone).

    Here they stay in Redis: after the visibility timeout they are given to another, and what was done meanwhile is
    not done again.
    """

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        tasks: Any = getattr(self, "task_consumer", None)
        if tasks is not None:
            tasks.channel.do_restore = False
        super().on_connection_error_after_connected(exc)
