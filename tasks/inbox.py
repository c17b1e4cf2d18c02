"""The way in for any Redis client: the stream `invitations:inbox`, read by every worker with a consumer group."""

import json

import structlog
from redis import Redis

from config.celery_values import INBOX, INBOX_READERS, RESULTS_KEPT_SECONDS
from config.settings import settings
from tasks.acceptance import acceptance
from tasks.refusals import tell_if_refused
from tasks.unaccepted import job_of_entry
from worker.app import app
from worker.connection import redis
from worker.stream import Entries, ReaderStep, StreamReader
from worker.tracing import carried

log = structlog.get_logger()

# A field beside `job`, whatever it holds: who added the entry waits for the answer, at a list named for the entry.
WANTS_ANSWER = "answer"


def answer_key(entry: str) -> str:
    """Where the answer to an entry of the inbox is left."""
    return f"invitations:answer:{entry}"


class InboxReader(StreamReader):
    """Reads, accepts, and only then acknowledges. What a dead reader left is claimed after a lease."""

    def __init__(self, redis: Redis, *, idle_ms: int) -> None:
        super().__init__("inbox", INBOX, INBOX_READERS, redis, idle_ms=idle_ms)

    def take(self, entries: Entries) -> None:
        # One that somebody deleted meanwhile has no fields.
        whole = [(entry, fields) for entry, fields in entries if fields]
        traces = [carried(fields.get("traceparent")) for _, fields in whole]
        answers = acceptance().accept([job_of_entry(fields) for _, fields in whole], traces=traces)
        refused = sum(map(tell_if_refused, answers))
        with self._redis.pipeline(transaction=True) as pipe:
            for (entry, fields), answer in zip(whole, answers, strict=True):
                if WANTS_ANSWER in fields:
                    pipe.rpush(answer_key(entry), json.dumps(answer.as_dict()))
                    pipe.expire(answer_key(entry), RESULTS_KEPT_SECONDS)
            self.done(pipe, entries)
            pipe.execute()
        log.info("inbox_accepted", jobs=len(answers), refused=refused)


class InboxStep(ReaderStep):
    """Runs the reader of the inbox."""

    @staticmethod
    def reader() -> StreamReader:
        return InboxReader(redis(), idle_ms=settings().lease_seconds * 1000)


app.steps["worker"].add(InboxStep)
