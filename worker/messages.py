"""How a worker takes Celery's messages from their lists: several at once, each noted as taken in the same step."""

import time
from importlib.resources import files
from itertools import product
from queue import Empty
from typing import Any, cast

import structlog
from kombu.transport.redis import Channel
from kombu.utils.json import loads
from redis.exceptions import OutOfMemoryError

from config.celery_values import INBOX
from worker.connection import redis
from worker.unreadable import LONGEST, MISFITS, keep

log = structlog.get_logger()

TAKE = (files("worker") / "lua" / "take_messages.lua").read_text("utf-8")
FULL_SECONDS = 1.0
# Typed in part alone.
_Channel: Any = Channel


def take_safely(channel: Any) -> None:
    """Has `channel`, which kombu made as the broker's address asks for, take its messages so from now on."""
    if isinstance(channel, _Safe):
        return
    channel.__class__ = type("SafeChannel", (_Safe, type(channel)), {})
    channel.handlers["BRPOP"] = channel._brpop_read


class _Safe(_Channel):  # type: ignore[misc]
    """kombu waits for a message by BRPOP, and notes it a moment later: a worker that dies between them takes it along.
    Here it waits by moving a list's next message to where it was, and then takes in one script."""

    def _brpop_start(self, timeout: float | None = None) -> None:
        queues = self._queue_cycle.consume(len(self.active_queues))
        if not queues:
            return
        self._in_poll = self.client.connection
        self._brpop_sent_at = time.monotonic()
        seconds = self.brpop_timeout if timeout is None else timeout
        self.client.connection.send_command("BLMOVE", queues[0], queues[0], "RIGHT", "RIGHT", seconds or 0)

    def _brpop_read(self, **options: Any) -> bool:
        try:
            self._end_wait(**options)
            if self._closing or not self._deliver_all():
                raise Empty
            return True
        finally:
            self._in_poll = None
            self._flush_brpop_reauth()

    def _end_wait(self, **options: Any) -> None:
        try:
            self.client.parse_response(self.client.connection, "BLMOVE", **options)
        except self.connection_errors:
            self.client.connection.disconnect()
            raise
        except OutOfMemoryError:
            # It would refuse the jobs too: they stay where they are.
            time.sleep(FULL_SECONDS)
            raise Empty from None

    def _deliver_all(self) -> int:
        """Delivers what there is, as many as this worker may hold. Returns how many messages it took."""
        queues = self._queue_cycle.consume(len(self.active_queues))
        lists = {self._q_for_pri(queue, step): queue for step, queue in product(self.priority_steps, queues)}
        keys = (self.unacked_index_key, self.unacked_key, INBOX, *lists)
        most = self.qos.can_consume_max_estimate() or 1
        taken = cast(list[list[str]], redis().eval(TAKE, len(keys), *keys, str(time.time()), most, LONGEST))
        for name, tag, raw in taken:
            self._queue_cycle.rotate(lists[name])
            if raw:
                self._deliver_one(raw, tag, lists[name])
            else:
                log.error("message_not_readable", fault="no_message")
        return len(taken)

    def _deliver_one(self, raw: str, tag: str, queue: str) -> None:
        try:
            message = loads(raw)
            self.Message(message, channel=self)
        except MISFITS as error:
            if keep(raw.encode("utf-8", "surrogateescape"), "no_message", error):
                self.qos.ack(tag)
        else:
            self.connection._deliver(message, queue)
