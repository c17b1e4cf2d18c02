"""Goals 6 and 9: what invitations cost that wait, and what a delivery costs beside them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ops.bench.figures import Bound, Figure
from ops.bench.latency import latencies, percentile
from ops.bench.ours import Job, Ours, sample_jobs
from ops.bench.peer import Load, Peer
from ops.bench.place import Place
from ops.bench.run import TOKEN, Run, Work, load_of, watch
from ops.bench.scenarios.acceptance import LATER
from ops.bench.terms import Terms

CONCURRENCY = 20
STEP = 50_000
MB = 1_000_000
FLAT = (Bound("at most", 1.1),)


@dataclass(frozen=True, slots=True)
class Look:
    """A worker beside `waiting` invitations: its memory (bytes), what `count` deliveries cost, and the p50 (seconds) of
    fresh ones."""

    waiting: int
    memory: int
    work: Run
    count: int
    fresh: float

    @property
    def cost(self) -> float:
        """CPU of worker and server for each delivery, in milliseconds."""
        return (self.work.cpu + self.work.server_cpu) / self.count * 1000


def waiting(place: Place, peer: Peer) -> Iterator[Figure]:
    """More and more invitations that wait for days in the line of the account that delivers. Bytes are of those alone
    that came since the last look: what was delivered meanwhile is kept too."""
    assert isinstance(peer, Ours)
    sizes = (100, 1_000) if place.quick else (1_000, 10_000, 100_000, 1_000_000)
    load = load_of(place, 1, CONCURRENCY)
    place.clear()
    peer.configure(load)
    # What scripts take once is no invitation's.
    _line_up(peer, load, 0, 100, "warm")
    looks: list[Look] = []
    for known, size in zip((0, *sizes), sizes, strict=False):
        before = place.memory()
        _line_up(peer, load, known, size)
        each = (place.memory() - before) / (size - known)
        looks.append(_look(place, peer, load, size))
        yield Figure(6, f"bytes in Redis for each of {size:,} waiting", each, "B", bounds=(Bound("at most", 900),))
        yield from _costs(looks[-1], f"with {size:,} waiting", size)
    first, last = looks[0], looks[-1]
    yield from _compared(first, last)


def accounts(place: Place, peer: Peer) -> Iterator[Figure]:
    """As many deliveries, spread over more and more accounts."""
    assert isinstance(peer, Ours)
    load = load_of(place, 1, CONCURRENCY)
    counts = (1, 10) if place.quick else (1, 10, 100, 1_000)
    total = 100 if place.quick else 4_000
    costs = []
    for count in counts:
        names = [f"shop{number}" for number in range(count)]
        place.clear()
        peer.configure_all(load, {name: {"token": name, "concurrency": CONCURRENCY} for name in names})
        work = Work({name: Terms() for name in names}, total // count)
        jobs = [job for name in names for job in sample_jobs(work.count, name)]
        with place.running(peer.worker_commands(load), peer.environment(load)) as group:
            one = watch(place, group, work, lambda jobs=jobs: peer.enqueue(load, jobs))  # type: ignore[misc]
        costs.append((one.cpu + one.server_cpu) / total * 1000)
        what = f"CPU of worker and server for a delivery, {count:,} account{'s' if count > 1 else ''}"
        yield Figure(9, what, costs[-1], "ms", x=count)
    what = f"a delivery with {counts[-1]:,} accounts ÷ with one: CPU"
    yield Figure(9, what, costs[-1] / costs[0], bounds=FLAT)


def _line_up(ours: Ours, load: Load, known: int, size: int, prefix: str = "later") -> None:
    for start in range(known, size, STEP):
        count = min(STEP, size - start)
        ours.enqueue(load, [job | LATER for job in sample_jobs(count, prefix=f"{prefix}{start}")])


def _look(place: Place, ours: Ours, load: Load, size: int) -> Look:
    count, single = (50, 10) if place.quick else (3_000, 100)

    def enqueue(jobs: Sequence[Job]) -> float:
        return ours.enqueue(load, jobs)

    with place.running(ours.worker_commands(load), ours.environment(load)) as group:
        place.provider.set_terms({TOKEN: Terms()})
        latencies(place, TOKEN, sample_jobs(50, prefix=f"warm{size}"), 0.02, enqueue)
        jobs = sample_jobs(count, prefix=f"now{size}")
        work = watch(place, group, Work({TOKEN: Terms()}, count), lambda: enqueue(jobs))
        memory = group.memory_bytes()
        place.provider.set_terms({TOKEN: Terms()})
        fresh = latencies(place, TOKEN, sample_jobs(single, prefix=f"fresh{size}"), 0.02, enqueue)
    return Look(size, memory, work, count, percentile(fresh, 0.5))


def _costs(look: Look, where: str, x: int) -> Sequence[Figure]:
    return (
        Figure(6, f"a worker's memory {where}", look.memory / MB, "MB"),
        Figure(6, f"a fresh invitation {where}: p50", look.fresh * 1000, "ms"),
        Figure(9, f"CPU of worker and server for a delivery {where}", look.cost, "ms", x=x),
        Figure(9, f"commands of Redis for a delivery {where}", look.work.commands / look.count, x=x),
    )


def _compared(first: Look, last: Look) -> Iterator[Figure]:
    more = (last.memory - first.memory) / MB
    against = f"with {last.waiting:,} waiting"
    yield Figure(6, f"a worker's memory {against}: more than with {first.waiting:,}", more, "MB", bounds=_most(10))
    ratio = last.fresh / first.fresh
    yield Figure(6, f"a fresh invitation {against} ÷ with {first.waiting:,}: p50", ratio, bounds=FLAT)
    yield Figure(9, f"a delivery {against} ÷ with {first.waiting:,}: CPU", last.cost / first.cost, bounds=FLAT)


def _most(value: float) -> tuple[Bound, ...]:
    return (Bound("at most", value),)
