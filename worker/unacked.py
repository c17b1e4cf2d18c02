"""Celery's messages that a worker took and did not acknowledge, which it notes in Redis."""

import time
from typing import Any

import structlog
from kombu.transport import virtual
from kombu.transport.redis import QoS
from kombu.utils.json import dumps
from redis.exceptions import RedisError

from worker.connection import patiently, redis

log = structlog.get_logger()

NOTE = """#!lua flags=allow-oom
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
"""
NOTED_WITHIN_SECONDS = 30


class LastingQoS(QoS):
    """kombu's own loses a message where Redis refuses or does not hear the note of it, and ends the worker where Redis
    is full, or where a message is acknowledged after the connection broke that it came by.

    What cannot be acknowledged or given back is given to another worker after the visibility timeout.
    """

    def append(self, message: Any, delivery_tag: str) -> None:
        """Notes it, also in a Redis that is full or away for a moment: it stands nowhere else."""
        delivery = message.delivery_info
        raw = dumps([message._raw, delivery["exchange"], delivery["routing_key"]])
        keys = self.unacked_index_key, self.unacked_key
        keep_trying = patiently(NOTED_WITHIN_SECONDS)
        keep_trying(redis().eval, NOTE, len(keys), *keys, delivery_tag, str(time.time()), raw)
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
