"""Tells who named a task of theirs in `reply_to` each final state of their invitation: through Celery, at least once.

What is owed stands in the stream `invitations:replies` from the very step that ends the invitation, without anything of
its customer; what is told is read from the record when it is sent, so one that was forgotten tells no more.
"""

from dataclasses import dataclass
from typing import Any

import structlog
from kombu import Queue
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import ResponseError

from config.celery_values import INBOX_READERS, REPLIES
from config.settings import settings
from worker.app import app
from worker.connection import redis
from worker.records import Record, Records
from worker.stream import Entries, ReaderStep, StreamReader

log = structlog.get_logger()


class ReplySender(StreamReader):
    """Sends, and only then acknowledges. What cannot be sent is tried again after a lease, while its record is kept."""

    def __init__(self, redis: Redis, *, idle_ms: int) -> None:
        super().__init__("replies", REPLIES, INBOX_READERS, redis, idle_ms=idle_ms)
        self._records = Records(redis)

    def take(self, entries: Entries) -> None:
        told = [(entry, owed) for entry, owed in entries if self._is_done(entry, owed)]
        if told:
            with self._redis.pipeline(transaction=True) as pipe:
                self.done(pipe, told)
                pipe.execute()

    def _is_done(self, entry: str, owed: dict[str, str]) -> bool:
        """Whether nothing more is owed. One that cannot be read waits for who mends it, and holds up no other."""
        try:
            record = self._records.get(owed["id"])
            if record is None or not record.reply:
                # Of what was erased meanwhile, nothing is owed any more.
                return True
            queue, task = record.reply.split()
            message = Message(queue, task, reply(record, owed["state"], int(owed["at"])))
        except (LookupError, TypeError, ValueError) as error:
            log.error("reply_cannot_be_read", entry=entry, error=type(error).__name__)
            return False
        return message.send()


def reply(record: Record, state: str, at: int) -> dict[str, Any]:
    """What a task is sent, its only argument: like an event, and no more."""
    reason = next((change.reason for change in record.history if (change.state, change.at) == (state, at)), "")
    return {
        "id": record.id,
        "account": record.account,
        "order": record.order,
        "state": state,
        "reason": reason,
        "at": at,
    }


@dataclass(frozen=True, slots=True)
class Message:
    """What goes to a task of that name in that queue."""

    queue: str
    task: str
    told: dict[str, Any]

    def send(self) -> bool:
        """Whether it was sent. Raises kombu.exceptions.OperationalError where Redis is away."""
        invitation, state, at = self.told["id"], self.told["state"], self.told["at"]
        # By its name alone, and not declared: a queue that Celery knows its workers would read as well.
        queue: Any = Queue(self.queue)
        try:
            app.send_task(
                self.task,
                args=[self.told],
                queue=queue,
                declare=[],
                ignore_result=True,
                # The same again where it is sent twice.
                task_id=f"{invitation}-{state}-{at}",
            )
        except OperationalError as error:
            if not isinstance(error.__cause__, ResponseError):
                raise
            log.error("reply_not_sent", invitation=invitation, error=type(error.__cause__).__name__)
            return False
        log.info("reply_sent", invitation=invitation, state=state)
        return True


class RepliesStep(ReaderStep):
    """Runs the sender of replies."""

    @staticmethod
    def reader() -> StreamReader:
        return ReplySender(redis(), idle_ms=settings().lease_seconds * 1000)


app.steps["worker"].add(RepliesStep)
