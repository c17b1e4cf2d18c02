"""The way in for any Redis client: the stream `invitations:inbox`, read by every worker with a consumer group."""

import os
import socket
from typing import Any

import structlog
from celery import bootsteps
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from config.celery_values import INBOX, INBOX_READERS
from config.settings import settings
from tasks.acceptance import acceptance
from tasks.unaccepted import job_of_entry
from worker.app import app
from worker.background import Loop
from worker.connection import redis
from worker.tracing import carried

log = structlog.get_logger()

BATCH = 100
BLOCK_MS = 1000
LEAVE = """
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
end
"""

Entries = list[tuple[str, dict[str, str]]]


class InboxReader:
    """Reads, accepts, and only then acknowledges. What a dead reader left is claimed after a lease."""

    def __init__(self, redis: Redis, *, idle_ms: int) -> None:
        self._redis = redis
        self._idle_ms = idle_ms
        self._name = f"{socket.gethostname()}-{os.getpid()}"
        self._loop = Loop("inbox", self.turn, self._create_group)

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
            claimed: Any = self._redis.xautoclaim(INBOX, INBOX_READERS, self._name, self._idle_ms, count=BATCH)
            self._accept(claimed[1])
            fresh: Any = self._redis.xreadgroup(INBOX_READERS, self._name, {INBOX: ">"}, count=BATCH, block=BLOCK_MS)
            for _, entries in fresh or []:
                self._accept(entries)
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            self._create_group()

    def _accept(self, entries: Entries) -> None:
        if not entries:
            return
        held = [fields for _, fields in entries if fields]
        traces = [carried(fields.get("traceparent")) for fields in held]
        answers = acceptance().accept([job_of_entry(fields) for fields in held], traces=traces)
        refused = sum(1 for answer in answers if answer.faults)
        ids = [entry for entry, _ in entries]
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.xack(INBOX, INBOX_READERS, *ids)
            pipe.xdel(INBOX, *ids)
            pipe.execute()
        log.info("inbox_accepted", jobs=len(answers), refused=refused)

    def _leave(self) -> None:
        """Its name goes, so that nobody takes it for one that runs; not where it holds entries, which would be lost."""
        try:
            self._redis.eval(LEAVE, 1, INBOX, INBOX_READERS, self._name)
        except RedisError as error:
            log.warning("inbox_reader_is_still_named", error=type(error).__name__)

    def _create_group(self) -> None:
        try:
            self._redis.xgroup_create(INBOX, INBOX_READERS, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise


class InboxStep(bootsteps.StartStopStep):
    """Runs the reader from the worker's start to its stop."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._reader = InboxReader(redis(), idle_ms=settings().lease_seconds * 1000)

    def start(self, parent: Any) -> None:
        self._reader.start()

    def close(self, parent: Any) -> None:
        self._reader.end()

    def stop(self, parent: Any) -> None:
        self._reader.stop()

    terminate = stop


app.steps["worker"].add(InboxStep)
