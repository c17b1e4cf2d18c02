"""What Celery says by itself, as it stands in our log: its tasks' lines as constant events, no job, nothing twice."""

import logging
import os
from collections.abc import MutableMapping
from typing import Any

from celery.app import trace
from celery.apps import worker
from celery.worker.consumer import consumer

# Celery prints with these the message that it could not handle, job and all.
PRINT_BODIES = tuple(
    getattr(consumer, name)
    for name in ("UNKNOWN_FORMAT", "UNKNOWN_TASK_ERROR", "INVALID_TASK_ERROR", "MESSAGE_DECODE_ERROR")
)
TASK_EVENTS = {
    trace.LOG_RECEIVED: "task_received",
    trace.LOG_SUCCESS: "task_succeeded",
    trace.LOG_FAILURE: "task_failed",
    trace.LOG_RETRY: "task_retried",
    trace.LOG_IGNORED: "task_ignored",
    trace.LOG_REJECTED: "task_rejected",
}
FIELDS = {
    "name": "task",
    "id": "task_id",
    "runtime": "seconds",
    "return_value": "result",
    "exc": "error",
    "description": "description",
}
# Our own line tells what came of them, under the invitation's id.
TOLD_BY_US = ("invitations.deliver", "invitations.send")


def listen_to_celery(handler: logging.Handler) -> None:
    """Makes the lines of Celery that `handler` gets ours, and what it would print beside them lines as well."""
    handler.addFilter(_without_bodies)
    handler.addFilter(_brief_warnings)
    logging.getLogger("celery.app.trace").addFilter(_not_twice)

    def say(message: str, _: object = None) -> None:
        # In a signal's handler, which may have interrupted a thread that holds the lock of a log or of a stream.
        record = logging.LogRecord("celery.apps.worker", logging.INFO, "", 0, message.strip(), None, None)
        os.write(2, f"{handler.format(record)}\n".encode())

    program: Any = worker
    program.safe_say = say


def name_task_lines(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor: `Task NAME[ID] succeeded in …` becomes an event with fields."""
    record = event["_record"]
    name = TASK_EVENTS.get(record.msg) if isinstance(record.msg, str) else None
    if name:
        event["event"] = name
        told = getattr(record, "data", {})
        event.update({FIELDS[field]: value for field, value in told.items() if field in FIELDS})
    return event


def _without_bodies(record: logging.LogRecord) -> bool:
    if record.msg in PRINT_BODIES:
        record.msg = str(record.msg).strip().splitlines()[0].split("%")[0] + "(not shown: it may hold a job)"
        record.args, record.exc_info = (), None
    return True


def _not_twice(record: logging.LogRecord) -> bool:
    return record.levelno > logging.INFO or getattr(record, "data", {}).get("name") not in TOLD_BY_US


def _brief_warnings(record: logging.LogRecord) -> bool:
    """What Celery and kombu put right themselves they tell with a traceback, and where Redis is full once a second."""
    if record.levelno <= logging.WARNING:
        record.exc_info = None
    return True
