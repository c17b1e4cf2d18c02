"""One format for every log line, ours and Celery's: constant events with fields, on the console or as JSON."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, NoReturn

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import Processor

from config.texts import escaped
from worker.celery_lines import listen_to_celery, name_task_lines
from worker.masking import scrub

# Their debug lines carry whole paths with credentials, or whole messages.
NEVER_DEBUG = ("urllib3", "requests", "kombu", "amqp", "celery.pool")
MANY_LINES = ("exception", "stack")


def configure_logs(log_format: Literal["console", "json"], level: int | str) -> None:
    """Sends every log line of this process, and Python's warnings, to standard error in `log_format`, from `level`
    up."""
    begins: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ends: list[Processor] = [structlog.processors.format_exc_info, scrub_values, _renderer(log_format)]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *begins, *ends, _hand_over],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        _Formatter(
            foreign_pre_chain=[*begins, name_task_lines],
            processors=[ProcessorFormatter.remove_processors_meta, *ends],
        )
    )
    _take_all(handler, level)
    listen_to_celery(handler)


class _Formatter(ProcessorFormatter):
    """For the lines of others: ours come as they are to stand."""

    def format(self, record: logging.LogRecord) -> str:
        return str(record.msg) if isinstance(record, _OurRecord) else super().format(record)


class _OurRecord(logging.LogRecord):
    """A line of ours, whole."""


def _hand_over(logger: logging.Logger, method: str, line: Any) -> NoReturn:
    """The last processor. By structlog's own way to a logger, which looks for its caller and makes the line of a copy
    of the record, a line costs half as much again."""
    level = getattr(logging, method.upper(), logging.ERROR)
    logger.handle(_OurRecord(logger.name, level, "", 0, line, None, None))
    raise structlog.DropEvent


def _renderer(log_format: Literal["console", "json"]) -> Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)


def _take_all(handler: logging.Handler, level: int | str) -> None:
    """Makes it the only handler of this process."""
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in NEVER_DEBUG:
        logging.getLogger(name).setLevel(max(logging.INFO, root.level))
    logging.captureWarnings(True)


def scrub_values(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Takes addresses of people and of machines out of every text of a log line, and whatever could make it look like
    two lines or steer a terminal. A traceback keeps its lines, none of them where a line of the log begins."""
    for name, value in event.items():
        if not isinstance(value, str) or name in ("timestamp", "level", "logger"):
            continue
        if name in MANY_LINES:
            event[name] = "\n".join(f"  {escaped(line)}" for line in scrub(value).split("\n"))
        else:
            # What others say in several lines, or in columns, is read as one.
            event[name] = escaped(scrub(" ".join(value.split()) if name == "event" else value))
    return event
