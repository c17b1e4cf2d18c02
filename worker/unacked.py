"""Celery's messages that a worker took and did not acknowledge, which it notes in Redis."""

import time
from typing import Any

import structlog
from kombu.transport import virtual
from kombu.transport.redis import QoS
from kombu.utils.json import dumps
from redis.exceptions import RedisError, ResponseError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

log = structlog.get_logger()

NOTE = """#!lua flags=allow-oom
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
"""
NOTED_WITHIN_SECONDS = 30


class LastingQoS(QoS):
    """kombu's own loses the message that it took where Redis refuses or does not hear the note of it, and ends the
    worker where Redis is full."""

    def append(self, message: Any, delivery_tag: str) -> None:
        """Notes it, also in a Redis that is full or away for a moment: it stands nowhere else."""
        delivery = message.delivery_info
        raw = dumps([message._raw, delivery["exchange"], delivery["routing_key"]])
        retrying = Retrying(
            retry=retry_if_exception_type(RedisError),
            wait=wait_exponential(multiplier=0.1, max=1),
            stop=stop_after_delay(NOTED_WITHIN_SECONDS),
            reraise=True,
        )
        channel: Any = self.channel
        with channel.conn_or_acquire() as client:
            keys = self.unacked_index_key, self.unacked_key
            retrying(client.eval, NOTE, len(keys), *keys, delivery_tag, time.time(), raw)
        virtual.QoS.append(self, message, delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Where Redis refuses to take it back, it is given to another after the visibility timeout."""
        try:
            super().reject(delivery_tag, requeue)
        except ResponseError as error:
            log.warning("message_not_given_back", error=type(error).__name__)
            virtual.QoS.ack(self, delivery_tag)

    def restore_visible(self, *args: Any, **options: Any) -> None:
        try:
            super().restore_visible(*args, **options)
        except ResponseError as error:
            log.warning("messages_not_restored", error=type(error).__name__)
