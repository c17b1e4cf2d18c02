"""Celery's messages that a worker took and did not acknowledge, which it notes in Redis."""

from typing import Any, cast

import structlog
from kombu.transport import virtual
from kombu.transport.redis import QoS
from redis.exceptions import RedisError

from worker.connection import redis
from worker.unreadable import MISFITS, keep

log = structlog.get_logger()


class LastingQoS(QoS):
    """kombu's own ends the worker where Redis is full, where a message is acknowledged after the connection broke that
    it came by, and at a note that it cannot read.

    What cannot be acknowledged or given back is given to another worker after the visibility timeout.
    """

    def append(self, message: Any, delivery_tag: str) -> None:
        """It is noted in Redis since it was taken (worker/messages.py)."""
        virtual.QoS.append(self, message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        try:
            self._remove(delivery_tag)
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

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        """What cannot be read is kept among the refused jobs: it must not stand before all that were taken earlier."""
        try:
            super().restore_by_tag(tag, client, leftmost)
        except MISFITS as error:
            note = cast(str | None, redis().hget(self.unacked_key, tag))
            if note is None or keep(note.encode("utf-8", "surrogateescape"), "no_message", error):
                self._remove(tag)

    def restore_visible(self, *args: Any, **options: Any) -> None:
        try:
            super().restore_visible(*args, **options)
        except RedisError as error:
            log.warning("messages_not_restored", error=type(error).__name__)

    def _remove(self, tag: Any) -> None:
        with redis().pipeline() as pipe:
            pipe.zrem(self.unacked_index_key, tag)
            pipe.hdel(self.unacked_key, tag)
            pipe.execute()
