"""What may be seen from outside of a message that carries a whole job: nothing of the job."""

import re
from typing import Any

from celery.worker.request import Request

MASKED = "(a job)"
_PART = r"[^\s\"'<>,;:()\[\]{}=&?/@.]+"
ADDRESS = re.compile(rf"{_PART}(?:\.{_PART})*@{_PART}(?:\.{_PART})+")
# Credentials stand before the host, or in the query behind the path.
WEB_ADDRESS = re.compile(r"\b(https?|rediss?|sentinel)://(?:[^\s\"'<>/@]*@)?([^\s\"'<>/?#]*)[^\s\"'<>]*", re.IGNORECASE)


def scrub(text: str) -> str:
    """`text` without e-mail addresses, and with no more of a web address than its host."""
    return ADDRESS.sub("(address)", WEB_ADDRESS.sub(r"\1://\2/(hidden)", text))


class MaskedRequest(Request):
    """A request whose arguments appear in no event, log line, traceback or worker page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._argsrepr = self._kwargsrepr = MASKED
        self.request_dict.update(argsrepr=MASKED, kwargsrepr=MASKED)

    def info(self, safe: bool = False) -> Any:
        return {**super().info(safe=True), "args": MASKED, "kwargs": MASKED}
