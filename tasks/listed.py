"""Finds accepted invitations in a provider's list, newest first, without walking all of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.providers.listing import Page, Row
from tasks.providers.pipeline import CLOCK_MARGIN, PAGE_SIZE

SIZE = PAGE_SIZE
# Rows that arrive while paging shift the others: pages overlap by so many.
OVERLAP = 10

Read = Callable[[int], Page | None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """An accepted invitation to be found: its id, the natural id that its row gives, and between which times the
    provider may have noted it."""

    id: str
    natural: str
    earliest: datetime
    latest: datetime

    @classmethod
    def of(cls, invitation: str, natural: str, accepted: datetime, called: datetime | None = None) -> "Wanted":
        """Times in the account's time zone: near a change of summer time the list's clock may be an hour off. `called`:
        when the first call began that may have reached the provider, where that is not the one it answered."""
        since = called or accepted
        hours = timedelta(hours=3)
        steady = (since - hours).utcoffset() == (since + hours).utcoffset()
        margin = CLOCK_MARGIN if steady else CLOCK_MARGIN + timedelta(hours=1)
        return cls(invitation, natural, since - margin, accepted + margin)


class Search:
    """One walk through a list that is sorted by creation, newest first.

    `read(offset)` gives the page after the newest `offset` rows, or None where no further page may be read now.
    `seen(row)` is told of every row read, once though pages overlap.
    """

    def __init__(self, read: Read, seen: Callable[[Row], None]) -> None:
        self._read = read
        self._seen = seen
        self._low = 0
        self._high: int | None = None
        self._stride = 0
        self._largest = 0
        self._known: set[tuple[str, str | None, datetime]] = set()

    def run(self, wanted: list[Wanted]) -> bool:
        """Reads the pages on which `wanted` can stand: page by page where they can, by doubled strides and halving over
        what is newer than any of them. True where all of them were looked at."""
        left = sorted(wanted, key=lambda one: one.latest, reverse=True)
        while left:
            offset = self._next_offset()
            page = self._read(offset)
            if page is None:
                return False
            self._largest = max(self._largest, page.received)
            news = self._has_news(page)
            if news or offset > self._low or page.received == self._largest:
                left = self._after(page, offset, left)
            else:
                # The end of the list, read again because rows arrive as fast as it is read.
                left = []
        return True

    def _has_news(self, page: Page) -> bool:
        """Tells of the rows. False where all of them were known."""
        before = len(self._known)
        for row in page.rows:
            identity = (row.email, row.order, row.created)
            if identity not in self._known:
                self._known.add(identity)
                self._seen(row)
        return len(self._known) > before or not page.rows

    def _next_offset(self) -> int:
        if self._high is None:
            return self._low + self._stride
        return (self._low + self._high) // 2 if self._high - self._low > SIZE else self._low

    def _after(self, page: Page, offset: int, left: list[Wanted]) -> list[Wanted]:
        if offset > self._low and (not page.rows or page.rows[0].created <= left[0].latest):
            # Too far: what lies between may be wanted.
            self._high, self._stride = offset, 0
            return left
        if not page.received:
            return []
        self._low = offset + _step(page)
        if not page.rows:
            return left
        oldest = page.rows[-1].created
        rest = [one for one in left if one.earliest < oldest]
        if rest[:1] != left[:1] or left[0].latest >= oldest or (self._high is not None and self._low >= self._high):
            self._high, self._stride = None, 0
        elif self._high is None:
            self._stride = max(SIZE, self._stride * 2)
        return rest


def _step(page: Page) -> int:
    return page.received - OVERLAP if page.received >= SIZE else page.received
