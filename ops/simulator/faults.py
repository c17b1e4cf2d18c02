"""Ways in which a provider misbehaves on request."""

import re
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus

from ops.simulator.provider import TOO_MANY, Provider, Verdict
from ops.simulator.state import Outcome
from ops.simulator.wire import Headers, Kind, Reply, Request

DEFAULT_REDIRECT = "127.0.0.1:9"

HTML_PAGE = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body>Back soon.</body></html>"


class Delivery(Enum):
    """How an answer leaves."""

    WHOLE = auto()
    TRICKLE = auto()
    HANG = auto()
    RESET = auto()
    HUGE = auto()


NOT_PROCESSED = frozenset({"html", "error_under_200", "credentials", "hang", "reset_before", "huge", "redirect"})
"""Faults that happen before the provider looked at the call; "status:<code>" is one of them too."""

PROCESSED = frozenset({"half_json", "trickle", "hang_after", "reset_after"})
"""Faults that spoil the answer to a call that the provider has processed."""

_STATUS = re.compile(r"status:([45]\d\d)")
_DELIVERIES = {
    "trickle": Delivery.TRICKLE,
    "hang": Delivery.HANG,
    "hang_after": Delivery.HANG,
    "reset_before": Delivery.RESET,
    "reset_after": Delivery.RESET,
    "huge": Delivery.HUGE,
}
_OUTCOMES = {401: Outcome.REFUSED, 403: Outcome.REFUSED, 429: Outcome.LIMITED}


def check_fault_name(name: str) -> str:
    """The name itself. Raises ValueError that lists the names there are."""
    if name not in NOT_PROCESSED | PROCESSED and not _STATUS.fullmatch(name):
        names = ", ".join(sorted(NOT_PROCESSED | PROCESSED))
        raise ValueError(f"expected status:<400 to 599>, {names} or null")
    return name


@dataclass(slots=True)
class Fault:
    """A fault for the next `remaining` calls of `kind` (None: for all, of all kinds).

    retry_after: raw value of that header on a "status:<code>". redirect_to: host (and port) of a "redirect".
    """

    name: str
    remaining: int | None = None
    kind: Kind | None = None
    retry_after: str | None = None
    redirect_to: str = DEFAULT_REDIRECT

    def spend(self, kind: Kind) -> bool:
        """Whether a call of this kind meets the fault; if so, one of the calls it is for is used up."""
        if self.kind not in (None, kind) or self.remaining == 0:
            return False
        if self.remaining is not None:
            self.remaining -= 1
        return True

    @property
    def delivery(self) -> Delivery:
        """How the answer to a call with this fault leaves."""
        return _DELIVERIES.get(self.name, Delivery.WHOLE)

    def instead(self, provider: Provider, request: Request) -> Verdict | None:
        """The answer that stands in for the provider's own, or None where the provider processes the call."""
        status = _STATUS.fullmatch(self.name)
        if status is not None:
            return self._status(provider, int(status.group(1)))
        match self.name:
            case "html":
                reply = Reply(200, HTML_PAGE, content_type="text/html; charset=utf-8")
            case "error_under_200":
                reply = provider.error(200, provider.broken)
            case "credentials":
                return Verdict(Outcome.REFUSED, provider.refused())
            case "redirect":
                location = ("Location", f"http://{self.redirect_to}{request.path}")
                reply = Reply(302, b"", (location,), content_type="text/html")
            case "hang" | "reset_before" | "huge":
                reply = Reply(200, b"")
            case _:
                return None
        return Verdict(Outcome.FAILED, reply)

    def spoil(self, reply: Reply) -> Reply:
        """The provider's own answer as this fault leaves it."""
        if self.name != "half_json":
            return reply
        return Reply(reply.status, reply.body[: len(reply.body) // 2], reply.headers, reply.content_type)

    def _status(self, provider: Provider, status: int) -> Verdict:
        message = TOO_MANY if status == HTTPStatus.TOO_MANY_REQUESTS else provider.broken
        reply = provider.error(status, message)
        headers: Headers = () if self.retry_after is None else (("Retry-After", self.retry_after),)
        answer = Reply(status, reply.body, headers)
        return Verdict(_OUTCOMES.get(status, Outcome.FAILED), answer)
