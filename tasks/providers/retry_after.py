"""How long a provider asks to be left alone: the Retry-After header of RFC 9110."""

import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from email.utils import parsedate_to_datetime

import structlog

MAX_RETRY_AFTER_MS = 24 * 3_600_000
_SECONDS = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)

log = structlog.get_logger()


def retry_after_ms(header: str | None, now: datetime) -> int | None:
    """Milliseconds to wait, rounded up, from seconds ("120", "1.5") or an HTTP date in any of its three
    forms.

    `now` is aware: the clock that a date is held against. A time that is over is 0; no header or nonsense is
    None; more than 24 hours is capped, and logged.
    """
    text = (header or "").strip()
    asked = _seconds(text) if _SECONDS.fullmatch(text) else _until(text, now)
    if asked is None:
        return None
    if asked > MAX_RETRY_AFTER_MS:
        log.warning("retry_after_capped", used_ms=MAX_RETRY_AFTER_MS)
        return MAX_RETRY_AFTER_MS
    return max(asked, 0)


def http_date(text: str | None) -> datetime | None:
    """The time of an HTTP date, aware; None if it is none."""
    try:
        time = parsedate_to_datetime(text) if text else None
    except (ValueError, TypeError, OverflowError):
        return None
    return time.replace(tzinfo=UTC) if time and time.tzinfo is None else time


def _seconds(text: str) -> int:
    # Beyond the cap the figure no longer matters, and an endless row of digits is no number to count with.
    seconds = min(Decimal(text), Decimal(MAX_RETRY_AFTER_MS))
    return int((max(seconds, Decimal(0)) * 1000).to_integral_value(ROUND_CEILING))


def _until(text: str, now: datetime) -> int | None:
    time = http_date(text)
    return -((now - time) // timedelta(milliseconds=1)) if time else None
