"""Finds accepted invitations in a provider's list, newest first, without walking all of it.

Of n rows, 100 a page, where the list tells how many it holds: those wanted that stand together are found, wherever they
stand, with 2 + log2(n/100) + k/100 requests at most, k being the rows from the first of them to the last. Each further
group of them that stands apart costs log2(n/100) + 1 more. Where the list does not tell, the way to the first of them,
at row p, costs up to half as much again: 2 + 1.5 log2(p/100). One that is not listed costs the rows of four minutes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

from tasks.providers.listing import Page, Row
from tasks.providers.pipeline import CLOCK_MARGIN, PAGE_SIZE

SIZE = PAGE_SIZE
# First it is looked where the list's clock, which tells whole seconds, agrees with ours.
NEAR = timedelta(seconds=2)
# Where rows vanished while paging, one goes back by so many.
BACK = SIZE // 2
WIDER = 4
TOP, BOTTOM = (end.replace(tzinfo=UTC) for end in (datetime.max, datetime.min))

Read = Callable[[int], Page | None]
Identity = tuple[str, str | None, datetime]


@dataclass(frozen=True, slots=True)
class Wanted:
    """An accepted invitation to be found: its id, the natural id that its row gives, and between which times the
    provider noted it, give or take `margin` for its clock."""

    id: str
    natural: str
    called: datetime
    accepted: datetime
    margin: timedelta

    @classmethod
    def of(cls, invitation: str, natural: str, accepted: datetime, called: datetime | None = None) -> "Wanted":
        """Times in the account's time zone: near a change of summer time the list's clock may be an hour off. `called`:
        when the first call began that may have reached the provider, where that is not the one it answered."""
        since = called or accepted
        hours = timedelta(hours=3)
        steady = (since - hours).utcoffset() == (since + hours).utcoffset()
        margin = CLOCK_MARGIN if steady else CLOCK_MARGIN + timedelta(hours=1)
        return cls(invitation, natural, since.astimezone(UTC), accepted.astimezone(UTC), margin)

    @property
    def earliest(self) -> datetime:
        return self.called - self.margin

    @property
    def latest(self) -> datetime:
        return self.accepted + self.margin

    @property
    def near(self) -> tuple[datetime, datetime]:
        return self.called - NEAR, self.accepted + NEAR


@dataclass(slots=True)
class Stretch:
    """Rows that follow each other and were all read: the places from `first` on, before `end`, and between which times.

    A place is counted from the list's end, where the list tells how many rows it holds: so it stays what it is while
    rows arrive. Else it is counted from the start.
    """

    first: int
    end: int
    newest: datetime
    oldest: datetime
    head: Identity | None = None


class Search:
    """One search in a list that is sorted by creation, newest first.

    `read(offset)` gives the page after the newest `offset` rows, or None where no further page may be read now.
    `seen(row)` is told of every row read, once though pages overlap, and answers with the id of what it was, if it was
    wanted.
    """

    def __init__(self, read: Read, seen: Callable[[Row], str | None]) -> None:
        self._read = read
        self._seen = seen
        self._stretches: list[Stretch] = []
        self._known: set[Identity] = set()
        self._found: set[str] = set()
        self._total = 0
        self._largest = 0
        self._looked_at: set[int] = set()
        self._blind = False
        self._without_news = False
        self._fruitful: Stretch | None = None

    def run(self, wanted: list[Wanted]) -> list[Wanted]:
        """Reads the pages on which `wanted` can stand, until they are found. Returns those that it could not look for
        everywhere, as no further page might be read: none where all were found or are not listed.

        First where they should stand, then, of those that are not there, where a wrong clock may have put them.
        """
        left = sorted(wanted, key=lambda one: one.accepted, reverse=True)
        if self._walk(left, [one.near for one in left]) < len(left):
            return self._missing(left)
        left = self._missing(left)
        return self._missing(left[self._walk(left, [(one.earliest, one.latest) for one in left]) :])

    def _missing(self, wanted: list[Wanted]) -> list[Wanted]:
        return [one for one in wanted if one.id not in self._found]

    def _walk(self, wanted: list[Wanted], windows: list[tuple[datetime, datetime]]) -> int:
        """How many of them, in their order, were found or looked for in all of their windows."""
        for place, (one, window) in enumerate(zip(wanted, windows, strict=True)):
            while one.id not in self._found and not self._was_read(*window):
                if not self._step(window[1]):
                    return place
        return len(wanted)

    def _was_read(self, earliest: datetime, latest: datetime) -> bool:
        above = self._above(latest)
        return above is not None and above.oldest < earliest

    def _above(self, time: datetime) -> Stretch | None:
        return next((one for one in reversed(self._stretches) if one.newest > time), None)

    def _step(self, time: datetime) -> bool:
        """Reads one page on the way to the rows of `time` and older. False where none may be read."""
        above = self._above(time)
        if above is None:
            return self._begin()
        below = next((one for one in self._stretches if one.newest <= time), None)
        place = self._next_place(above, below, time)
        offset, follows = place + self._total, place == above.end - 1
        page = self._read(offset)
        if page is None:
            return False
        if self._total:
            self._total = page.total or self._total
        self._largest = max(self._largest, page.received)
        identities = _identities(page)
        before = len(self._found)
        take = self._follow if follows else self._look_at
        grown = take(above, page, offset - self._total, identities)
        if grown and below and below.head in identities:
            grown.end = offset - self._total + identities.index(below.head) + below.end - below.first
            grown.oldest = below.oldest
            self._stretches.remove(below)
        self._fruitful = grown if len(self._found) > before else None
        return True

    def _begin(self) -> bool:
        page = self._read(0)
        if page is None:
            return False
        self._total, self._largest = page.total or 0, page.received
        self._tell(page, _identities(page))
        oldest = page.rows[-1].created if page.rows else TOP if page.received else BOTTOM
        self._stretches.append(Stretch(-self._total, page.received - self._total, TOP, oldest))
        return True

    def _next_place(self, above: Stretch, below: Stretch | None, time: datetime) -> int:
        """After a page with any of the wanted comes the next. Each page begins whole pages after another, less the row
        by which they overlap: between two of them fits what is not known yet, and nothing is read twice."""
        following, step = above.end - 1, max(1, self._largest - 1)
        if above.oldest <= time or above is self._fruitful:
            return following
        if below or above.end < 0:
            unknown = (below.first if below else 0) - above.end
            place = following + max(0, ceil(unknown / step) - 1) // 2 * step
        else:
            place = following + (WIDER - 1) * (following + self._total)
        return following if place in self._looked_at else place

    def _follow(self, above: Stretch, page: Page, place: int, identities: list[Identity]) -> Stretch | None:
        """The page that should continue a stretch. None where rows vanished meanwhile, and it does not."""
        known = identities[0] in self._known if identities else page.received > 0
        known = known and (not page.rows or page.rows[0].created >= above.oldest)
        news = self._tell(page, identities)
        if not (known or self._blind or place == -self._total):
            above.end = max(1 - self._total, above.end - BACK)
            return None
        end = place + page.received
        # Once, rows that arrived meanwhile may have filled the whole page.
        at_end = not news and (page.received < self._largest or self._without_news)
        self._without_news = not news
        self._blind = page.received > 0 and not page.rows
        above.end = end
        if page.rows or not self._blind:
            above.oldest = BOTTOM if at_end else page.rows[-1].created
        return above

    def _look_at(self, _: Stretch, page: Page, place: int, identities: list[Identity]) -> Stretch | None:
        """A page on the way. None where it tells nothing: then it is gone on page by page."""
        self._looked_at.add(place)
        news = self._tell(page, identities)
        if page.received and not news:
            return None
        newest, oldest = (page.rows[0].created, page.rows[-1].created) if page.rows else (BOTTOM, BOTTOM)
        made = Stretch(place, place + page.received, newest, oldest, identities[0] if identities else None)
        self._stretches = sorted([*self._stretches, made], key=lambda one: (one.newest, -one.first), reverse=True)
        return made

    def _tell(self, page: Page, identities: list[Identity]) -> bool:
        """Whether any of the rows was not known."""
        before = len(self._known)
        for row, identity in zip(page.rows, identities, strict=True):
            if identity not in self._known:
                self._known.add(identity)
                found = self._seen(row)
                if found:
                    self._found.add(found)
        return len(self._known) > before


def _identities(page: Page) -> list[Identity]:
    return [(row.email, row.order, row.created) for row in page.rows]
