"""Reads a stream of Redis in a thread of every worker, with one consumer group; each entry is done at least once."""

import os
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, cast

import structlog
from celery import bootsteps
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError, ResponseError

from worker.background import Loop

log = structlog.get_logger()

BATCH = 100
BLOCK_MS = 1000
FROM_THE_FIRST = "0-0"
LEAVE = """
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
end
"""

Entries = list[tuple[str, dict[str, str]]]


class StreamReader(ABC):
    """Takes entries, and only when they are done with acknowledges and deletes them. What a dead reader left is claimed
    after `idle_ms`."""

    def __init__(self, name: str, stream: str, group: str, redis: Redis, *, idle_ms: int) -> None:
        self._redis = redis
        self._stream = stream
        self._group = group
        self._idle_ms = idle_ms
        self._name = f"{socket.gethostname()}-{os.getpid()}"
        self._loop = Loop(name, self.turn, self._create_group)
        self._claimed_to = FROM_THE_FIRST

    def start(self) -> None:
        self._loop.start()

    def end(self) -> None:
        self._loop.end()

    def stop(self) -> None:
        self._loop.stop()
        self._leave()

    def turn(self) -> None:
        """Takes over what is pending too long, then what is new. Waits up to a second for something new."""
        try:
            self._take_any(self._left_by_the_dead())
            fresh: Any = self._redis.xreadgroup(
                self._group, self._name, {self._stream: ">"}, count=BATCH, block=BLOCK_MS
            )
            for _, entries in fresh or []:
                self._take_any(entries)
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            self._create_group()

    @abstractmethod
    def take(self, entries: Entries) -> None:
        """Does what some entries ask for, and then with `done` away with them."""

    def done(self, pipe: Pipeline, entries: Entries) -> None:
        """Acknowledges and deletes these entries, as part of a transaction."""
        ids = [entry for entry, _ in entries]
        pipe.xack(self._stream, self._group, *ids)
        pipe.xdel(self._stream, *ids)

    def _left_by_the_dead(self) -> Entries:
        # A look sees a thousand, behind which there may be others: the next goes on where it ended.
        claimed: Any = self._redis.xautoclaim(
            self._stream, self._group, self._name, self._idle_ms, self._claimed_to, count=BATCH
        )
        self._claimed_to = claimed[0]
        return cast(Entries, claimed[1])

    def _take_any(self, entries: Entries) -> None:
        if entries:
            self.take(entries)

    def _leave(self) -> None:
        """Its name goes, so that nobody takes it for one that runs; not where it holds entries, which would be lost."""
        try:
            self._redis.eval(LEAVE, 1, self._stream, self._group, self._name)
        except RedisError as error:
            log.warning("reader_is_still_named", stream=self._stream, error=type(error).__name__)

    def _create_group(self) -> None:
        try:
            self._redis.xgroup_create(self._stream, self._group, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise


class ReaderStep(bootsteps.StartStopStep):
    """Runs a reader from the worker's start to its stop."""

    requires = ("celery.worker.components:Pool",)

    reader: Callable[[], StreamReader]
    """Makes the reader of this process."""

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._reader = type(self).reader()

    def start(self, parent: Any) -> None:
        self._reader.start()

    def close(self, parent: Any) -> None:
        self._reader.end()

    def stop(self, parent: Any) -> None:
        self._reader.stop()

    terminate = stop
