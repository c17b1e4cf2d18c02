"""How many requests a retrieval makes: the real search over a modelled list, without a provider and without a clock."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import log2

from tasks.listed import SIZE, Search, Wanted
from tasks.providers.listing import Page, Row

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SIZES = (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)
DUE = (1, 100, 1_000)
# Of the places at which those due are put, evenly from the newest row to the oldest.
PLACES = 25


@dataclass(slots=True)
class ModelledList:
    """A provider's list of `rows` invitations, one each `apart_seconds`, newest first; row n is the nth newest.

    `tells_total`: whether a page says how many there are. `arriving`: so many rows come before each read.
    """

    rows: int
    apart_seconds: float = 60
    tells_total: bool = True
    arriving: int = 0
    requests: int = 0
    found: set[str] = field(default_factory=set)
    wanted: set[str] = field(default_factory=set)

    def read(self, offset: int) -> Page:
        first = offset - self.requests * self.arriving
        total = self.rows + self.requests * self.arriving
        self.requests += 1
        last = min(first + SIZE, self.rows)
        return Page([self.row(place) for place in range(first, last)], total if self.tells_total else None)

    def row(self, place: int) -> Row:
        created = self.created(place)
        return Row(f"{place}@example.com", None, 0, created, created, created)

    def created(self, place: int) -> datetime:
        return NOW - timedelta(seconds=round(place * self.apart_seconds))

    def see(self, row: Row) -> str | None:
        name = row.email.partition("@")[0]
        if name not in self.wanted:
            return None
        self.found.add(name)
        return name

    def search(self, places: Iterable[int]) -> list[Wanted]:
        """Looks for the rows at these places. Returns those for which it did not look everywhere."""
        due = [Wanted.of(str(place), str(place), self.created(place)) for place in places]
        self.wanted = {one.id for one in due}
        return Search(self.read, self.see).run(due)


@dataclass(frozen=True, slots=True)
class Point:
    """Of `held` rows `due` ones that stand together are looked for: the most and the mean requests over all places."""

    held: int
    due: int
    most: int
    mean: float
    bound: float
    full_walk: float


def bound(held: int, due: int) -> float:
    """What issue 4 asks for: requests for `due` of `held` rows."""
    return 2 + log2(held / SIZE) + due / SIZE


def requests(held: int, first: int, due: int, *, tells_total: bool = True) -> int:
    """For those `due` that stand from place `first` on. Raises AssertionError where one was not found: to look less is
    no merit then."""
    listed = ModelledList(held, tells_total=tells_total)
    listed.search(range(first, first + due))
    assert listed.found == listed.wanted, f"{len(listed.wanted - listed.found)} of {due} were not found"
    return listed.requests


def curve(sizes: Iterable[int] = SIZES, dues: Iterable[int] = DUE, *, tells_total: bool = True) -> Iterator[Point]:
    """A point for each size and each number due that fits into it."""
    for held in sizes:
        for due in dues:
            if due > held:
                continue
            places = sorted({round(number * (held - due) / (PLACES - 1)) for number in range(PLACES)})
            counts = [requests(held, place, due, tells_total=tells_total) for place in places]
            mean = sum(counts) / len(counts)
            yield Point(held, due, max(counts), mean, bound(held, due), held / SIZE)
