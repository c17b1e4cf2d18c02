"""What an answer means where it means the same at every provider."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TypeVar

from tasks.outcome import CredentialsRefused, Limits, Outcome, Throttled, Unavailable, Unclear
from tasks.providers.base import Reply
from tasks.providers.retry_after import http_date, retry_after_ms

T = TypeVar("T")
_COUNT = re.compile(r"\d{1,9}", re.ASCII)
_SERVER_ERRORS = 500
_REQUEST_ERRORS = 400
_REDIRECTS = 300


def clock(reply: Reply, now: datetime) -> datetime:
    """The provider's own time where the answer tells it: what it asks for is meant on that clock."""
    return http_date(reply.headers.get("Date")) or now


def meaning(reply: Reply, read: Callable[[Reply], T | None], now: datetime) -> T | Outcome:
    """Throttling first, then the provider's own reading, then what the code alone says. `now` is aware."""
    wait = retry_after_ms(reply.headers.get("Retry-After"), clock(reply, now))
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled("the provider answered 429: too many calls", wait)
    if reply.status == HTTPStatus.SERVICE_UNAVAILABLE and wait is not None:
        return Throttled("the provider answered 503 and asked to wait", wait, maintenance=True)
    understood = read(reply)
    return by_code(reply.status) if understood is None else understood


def by_code(status: int) -> Outcome:
    """What a code means with a body that its provider is not known to send: a page of a proxy, half an
    answer.

    Nothing here is final, as no code alone is worth losing an invitation over.

    - 401, 403: credentials refused.
    - 3xx: unavailable. Followed, a POST would arrive elsewhere or as a GET; the address is to be mended.
    - 404, 405, 410, 421 and any other 4xx: unavailable. The request was turned away unprocessed: mostly the
      address is wrong, or it stands behind something that answers in its place. 408 and 425 say so of
      themselves.
    - 5xx and 2xx: unclear. Something took the request and may have passed it on before it broke.
    """
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return CredentialsRefused(f"the provider answered {status}: check the account's credentials")
    if _REDIRECTS <= status < _REQUEST_ERRORS:
        return Unavailable(f"the provider answered with a redirect ({status}): check base_url")
    if _REQUEST_ERRORS <= status < _SERVER_ERRORS:
        return Unavailable(f"the provider answered {status} and gave no reason that is known: check base_url")
    return Unclear(f"the provider answered {status} with a body that is none of its known answers")


def limits(reply: Reply, window_ms: int) -> Limits | None:
    """What the answer says of the rate limit, whose window lasts `window_ms`; figures that are none count as
    absent."""
    limit, remaining = (_count(reply.headers.get(f"X-RateLimit-{name}")) for name in ("Limit", "Remaining"))
    limit = limit or None
    return None if limit is None and remaining is None else Limits(limit, remaining, window_ms)


def _count(header: str | None) -> int | None:
    text = (header or "").strip()
    return int(text) if _COUNT.fullmatch(text) else None


def utc_now() -> datetime:
    return datetime.now(UTC)
