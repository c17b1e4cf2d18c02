"""Celery's messages that a worker took and did not acknowledge, which it notes in Redis."""

from typing import Any

import structlog
from kombu.transport import virtual
from kombu.transport.redis import QoS
from redis.exceptions import RedisError

from worker.connection import redis

log = structlog.get_logger()


class LastingQoS(QoS):
    """kombu's own ends the worker where Redis is full, or where a message is acknowledged after the connection broke
    that it came by.

    What cannot be acknowledged or given back is given to another worker after the visibility timeout.
    """

    def append(self, message: Any, delivery_tag: str) -> None:
        """It is noted in Redis since it was taken (worker/messages.py)."""
        virtual.QoS.append(self, message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        try:
            with redis().pipeline() as pipe:
                pipe.zrem(self.unacked_index_key, delivery_tag)
                pipe.hdel(self.unacked_key, delivery_tag)
                pipe.execute()
        except RedisError as error:
            log.warning("message_not_acknowledged", error=type(error).__name__)
        virtual.QoS.ack(self, delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        if not requeue:
            self.ack(delivery_tag)
            return
        try:
            if not self.channel.closed:
                self.restore_by_tag(delivery_tag, leftmost=True)
        except RedisError as error:
            log.warning("message_not_given_back", error=type(error).__name__)
        virtual.QoS.ack(self, delivery_tag)

    def restore_visible(self, *args: Any, **options: Any) -> None:
        try:
            super().restore_visible(*args, **options)
        except RedisError as error:
            log.warning("messages_not_restored", error=type(error).__name__)
