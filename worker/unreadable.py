"""Messages in Celery's queues that no worker can read: they end no worker, and are kept among the refused jobs."""

import json
from collections.abc import Callable
from typing import Any

import structlog
from celery.worker.consumer import Consumer
from kombu.exceptions import ContentDisallowed, DecodeError
from redis.exceptions import RedisError

from config.celery_values import INBOX
from worker.connection import redis
from worker.ledger import KEPT_BYTES

log = structlog.get_logger()

# One more than is kept of a refused job, so that it is said to be cut.
LONGEST = KEPT_BYTES + 1
KEEP = """#!lua flags=allow-oom
redis.call('XADD', KEYS[1], '*', 'job', ARGV[1], 'fault', ARGV[2])
"""
# By the name that goes with a message into the inbox.
FAULTS = {
    "no_message": "is not what a Celery client sends; send the job with one, or XADD it to the inbox",
    "no_task": "names a task that this worker does not have; the one that takes a job is invitations.send",
    "no_content": "its body or its headers cannot be read; expected JSON as a Celery client makes it",
}
# What Celery and kombu raise at a message that is not as they expect. Anything else is no fault of the message.
MISFITS = (
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    RecursionError,
    ContentDisallowed,
    DecodeError,
)


class ForgivingConsumer(Consumer):
    """Celery's own ends the worker over JSON that is broken, and drops with a line in the log what it cannot read."""

    task_consumer: Any

    def create_task_handler(self, *args: Any, **options: Any) -> Callable[[Any], None]:
        handle = super().create_task_handler(*args, **options)

        def handle_or_keep(message: Any) -> None:
            try:
                _check_task(message)
                handle(message)
            except OSError:
                raise
            except MISFITS as error:
                if keep(_raw(message), "no_content", error) and not message.acknowledged:
                    message.reject()

        return handle_or_keep

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        if keep(_raw(message), "no_content", exc):
            super().on_decode_error(message, exc)

    def on_unknown_message(self, body: Any, message: Any) -> None:
        if keep(_raw(message), "no_message"):
            super().on_unknown_message(body, message)

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        if keep(_raw(message), "no_task", exc):
            super().on_unknown_task(body, message, exc)

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        if keep(_raw(message), "no_content", exc):
            super().on_invalid_task(body, message, exc)


def _check_task(message: Any) -> None:
    """Raises one of MISFITS where a thread would stumble over it, and leave it unacknowledged for ever."""
    if "task" not in message.headers:
        return
    if not isinstance(message.headers["id"], str):
        raise TypeError
    payload = message.payload
    if isinstance(payload, dict) and "args" in payload:
        return
    args, kwargs, embed = payload
    if not (isinstance(args, list) and isinstance(kwargs or {}, dict) and isinstance(embed or {}, dict)):
        raise TypeError


def _raw(message: Any) -> bytes:
    return json.dumps(message._raw, ensure_ascii=False, default=repr).encode("utf-8", "surrogatepass")


def keep(raw: bytes, fault: str, error: Exception | None = None) -> bool:
    """Into the inbox with what is wrong with it, where it becomes a refused job like any other; also in a Redis that is
    full. False where it could not be written: nobody may acknowledge it then, and its visibility timeout brings it
    again."""
    log.error("message_not_readable", fault=fault, error=type(error).__name__)
    try:
        redis().eval(KEEP, 1, INBOX, raw[:LONGEST], fault)
    except RedisError as failure:
        log.error("message_not_kept", error=type(failure).__name__)
        return False
    return True
