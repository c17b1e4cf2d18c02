"""Goal 8: how many pages of a provider's list are read to find what is due, by the search that the worker uses."""

from collections.abc import Iterator

from ops.bench.figures import Bound, Figure
from ops.bench.peer import Peer
from ops.bench.place import Place
from ops.bench.retrieval import bound, requests
from tasks.listed import SIZE

GOAL = 8
ROWS = (100, 1_000, 10_000, 100_000)
DUE = (1, 100, 500)


def retrieval(place: Place, peer: Peer) -> Iterator[Figure]:
    """Of lists that hold n rows, k that stand together in the middle are due. Exact: no clock, and no server."""
    for due in DUE:
        for rows in ROWS:
            if due > rows // 2:
                continue
            most = Bound("at most", round(bound(rows, due), 1))
            what = f"requests for {due:,} due of {rows:,} rows (a full walk: {rows // SIZE:,})"
            yield Figure(GOAL, what, requests(rows, (rows - due) // 2, due), bounds=(most,), x=rows)
