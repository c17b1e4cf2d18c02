"""The rows of a provider's list of invitations."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, repr=False)
class Row:
    """One invitation as its provider lists it. All times are aware, in UTC; `sent` is None until it went
    out."""

    email: str
    order: str | None
    delay_days: int | None
    created: datetime
    scheduled: datetime | None
    sent: datetime | None

    def __repr__(self) -> str:
        return f"Row(created={self.created.isoformat()}, sent={self.sent is not None})"


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one answer, newest first; `total` invitations at the provider where it says so.

    `unreadable` rows were left out: the offset of the next page is this one's plus `received`.
    """

    rows: list[Row]
    total: int | None
    unreadable: int = 0

    @property
    def received(self) -> int:
        return len(self.rows) + self.unreadable


def utc(value: Any, zone: ZoneInfo) -> datetime | None:
    """The time in `value`, such as "2022-06-19 14:04:39"; without an offset it is wall-clock time in `zone`.

    An hour that the clock shows twice is read as the first of the two. None for anything that is no time.
    """
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value.strip())
        return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
