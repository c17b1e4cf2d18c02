"""Goal 8: how many pages of a provider's list are read to find what is due, by the search that the worker uses."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from ops.bench.figures import Bound, Figure
from ops.bench.peer import Peer
from ops.bench.place import Place
from tasks.listed import SIZE, Search, Wanted
from tasks.providers.listing import Page, Row

GOAL = 8
NEWEST = datetime(2026, 1, 15, 12, tzinfo=UTC)
ROWS = (100, 1_000, 10_000, 100_000)
DUE = (1, 100, 500)
BETWEEN = timedelta(seconds=30)


def retrieval(place: Place, peer: Peer) -> Iterator[Figure]:
    """Of lists that hold n rows, k that stand together in the middle are due. Exact: no clock, and no server."""
    for due in DUE:
        for rows in ROWS:
            if due > rows // 2:
                continue
            bound = Bound("at most", round(2 + math.log2(rows / SIZE) + due / SIZE, 1))
            what = f"requests for {due:,} due of {rows:,} rows (a full walk: {rows // SIZE:,})"
            yield Figure(GOAL, what, _requests(rows, due), bounds=(bound,), x=rows)


def _requests(rows: int, due: int) -> int:
    """Raises AssertionError where one that is due was not found: to look less is no merit then."""
    first = (rows - due) // 2
    wanted = [Wanted.of(_name(n), _name(n), _created(n)) for n in range(first, first + due)]
    missing = {one.natural for one in wanted}
    offsets: list[int] = []

    def read(offset: int) -> Page:
        offsets.append(offset)
        return Page([_row(n) for n in range(offset, min(rows, offset + SIZE))], rows)

    def see(row: Row) -> Any:
        natural = row.email.partition("@")[0]
        missing.discard(natural)
        return natural

    Search(read, see).run(wanted)
    assert not missing, f"{len(missing)} of {due} were not found"
    return len(offsets)


def _created(number: int) -> datetime:
    return NEWEST - number * BETWEEN


def _name(number: int) -> str:
    return f"customer-{number}"


def _row(number: int) -> Row:
    created = _created(number)
    return Row(f"{_name(number)}@example.com", None, 0, created, created, created)
