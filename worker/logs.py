"""One format for every log line, ours and Celery's: constant events with fields, on the console or as JSON."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog
from celery.worker.consumer import consumer
from structlog.typing import Processor

from config.texts import escaped
from worker.masking import scrub

# Their debug lines carry whole paths with credentials, or whole messages.
NEVER_DEBUG = ("urllib3", "requests", "kombu", "amqp", "celery.pool")
MANY_LINES = ("exception", "stack")
# Celery prints with these the message that it could not handle, job and all.
PRINT_BODIES = tuple(
    getattr(consumer, name)
    for name in ("UNKNOWN_FORMAT", "UNKNOWN_TASK_ERROR", "INVALID_TASK_ERROR", "MESSAGE_DECODE_ERROR")
)


def configure_logs(log_format: Literal["console", "json"], level: int | str) -> None:
    """Sends every log line of this process to standard error in `log_format`, from `level` up."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                scrub_values,
                renderer,
            ],
        )
    )
    handler.addFilter(_without_bodies)
    handler.addFilter(_brief_warnings)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("celery.app.trace").addFilter(_not_twice)
    for name in NEVER_DEBUG:
        logging.getLogger(name).setLevel(max(logging.INFO, root.level))


def scrub_values(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Takes addresses of people and of machines out of every text of a log line, and whatever could make it look like
    two lines or steer a terminal. A traceback keeps its lines, none of them where a line of the log begins."""
    for name, value in event.items():
        if not isinstance(value, str) or name in ("timestamp", "level", "logger"):
            continue
        if name in MANY_LINES:
            event[name] = "\n".join(f"  {escaped(line)}" for line in scrub(value).split("\n"))
        else:
            event[name] = escaped(scrub(value))
    return event


def _without_bodies(record: logging.LogRecord) -> bool:
    if record.msg in PRINT_BODIES:
        record.msg = str(record.msg).strip().splitlines()[0].split("%")[0] + "(not shown: it may hold a job)"
        record.args, record.exc_info = (), None
    return True


def _not_twice(record: logging.LogRecord) -> bool:
    """Of a delivery our own line tells what came of it, and more."""
    return record.levelno > logging.INFO or getattr(record, "data", {}).get("name") != "invitations.deliver"


def _brief_warnings(record: logging.LogRecord) -> bool:
    """What Celery and kombu put right themselves they tell with a traceback, and where Redis is full once a second."""
    if record.levelno <= logging.WARNING:
        record.exc_info = None
    return True
