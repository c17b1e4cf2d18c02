"""What may be seen from outside of a task: of its arguments nothing, of an error nothing that it may repeat of them."""

import re
from typing import Any

from celery import Task
from celery.exceptions import TaskPredicate
from celery.worker.request import Request
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from config.errors import ConfigurationError

MASKED = "(not shown)"
_PART = r"[^\s\"'<>,;:()\[\]{}=&?/@.]+"
_LOCAL = r"[^\s\"'<>,;:()\[\]{}=&?/@]"
# Begun at the start of a word alone: a long one without an @ would else be tried from each of its letters.
ADDRESS = re.compile(rf"(?<!{_LOCAL}){_LOCAL}+@{_PART}(?:\.{_PART})+")
# Credentials stand before the host, or in the query behind the path.
WEB_ADDRESS = re.compile(
    r"\b(https?|rediss?|sentinel)://(?:[^\s\"'<>/@]*@)?([^\s\"'<>/?#]*)/?([^\s\"'<>]*)", re.IGNORECASE
)


def scrub(text: str) -> str:
    """`text` without e-mail addresses, and with no more of a web address than its host."""
    if "@" not in text and "://" not in text:
        return text
    return ADDRESS.sub("(address)", WEB_ADDRESS.sub(_host_alone, text))


def _host_alone(address: re.Match[str]) -> str:
    return f"{address[1]}://{address[2]}" + ("/(hidden)" if address[3] else "")


class MaskedRequest(Request):
    """A request whose arguments appear in no event, log line, traceback or worker page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._argsrepr = self._kwargsrepr = MASKED
        self.request_dict.update(argsrepr=MASKED, kwargsrepr=MASKED)

    def info(self, safe: bool = False) -> Any:
        return {**super().info(safe=True), "args": MASKED, "kwargs": MASKED}

    def on_retry(self, exc_info: Any) -> None:
        """The event of a wait tells why, in plain words; where in the program that was found helps nobody."""
        if self.task.acks_late:
            self.acknowledge()
        self.send_event("task-retried", exception=str(exc_info.exception.exc), traceback=None)


class UnforeseenError(Exception):
    """A fault of this program, by the type of the error: its text may repeat what it stumbled over."""


class RedisAwayError(UnforeseenError):
    """Redis did not answer, or refused: what the task was to do is done at its next turn, and Celery logs one line."""


class MaskedTask(Task[Any, Any]):
    """The base of every task: a job may come to any of them, sent by mistake."""

    Request = "worker.masking:MaskedRequest"
    throws = (RedisAwayError,)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs it.

        Raises:
            RedisAwayError: in place of an error of Redis, or of kombu, which sends messages by it.
            UnforeseenError: in place of any other error but Celery's own and a ConfigurationError, with its traceback.
        """
        try:
            return self.run(*args, **kwargs)
        except (TaskPredicate, ConfigurationError, UnforeseenError) as error:
            # Celery's events carry the traceback, which would tell of the error that this one was raised over.
            raise error from None
        except (RedisError, OperationalError) as error:
            raise RedisAwayError(type(error).__name__) from None
        except Exception as error:
            raise UnforeseenError(type(error).__name__).with_traceback(error.__traceback__) from None
