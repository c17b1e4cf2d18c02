"""Goal 1: how near to the provider's limit, and at what price.

Ours runs as many accounts beside each other, each with a limit of its own, as take 20 calls a second; a peer has one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ops.bench.figures import Bound, Figure
from ops.bench.ours import Ours, sample_jobs
from ops.bench.peer import Peer
from ops.bench.place import Place
from ops.bench.run import Run, Work, load_of, run, watch
from ops.bench.terms import Terms, floor_seconds
from ops.simulator.limits import WindowKind

GOAL = 1
CONCURRENCY = 10
MOST_A_SECOND = 20
"""Calls of all accounts that are measured at once: their windows open together, and the machine must cope with it."""
KINDS: Sequence[WindowKind] = ("fixed", "sliding", "bucket")


@dataclass(frozen=True, slots=True)
class Rate:
    """A limit, and how many jobs show how it is used: enough for ten windows, but for the slowest."""

    count: int
    period_ms: int
    jobs: int

    def __str__(self) -> str:
        return f"{self.count} per {self.period_ms // 1000} s"


PER_SECOND, PER_6_SECONDS, PER_MINUTE = Rate(20, 1_000, 600), Rate(60, 6_000, 600), Rate(60, 60_000, 300)
QUICK = Rate(20, 1_000, 60)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the account knows of its limit: `factor` of it is configured (0: nothing); whether answers tell of it; and
    whether another client takes half. With what makespan over floor, and how many refusals per 1,000, it should do."""

    name: str
    factor: int
    headers: bool
    shared: bool
    makespan: float
    refusals: float


CONFIGURED = Knowledge("limit configured", 1, False, False, 1.03, 5)
KNOWLEDGE = (
    CONFIGURED,
    Knowledge("limit configured, headers tell too", 1, True, False, 1.03, 5),
    Knowledge("nothing configured, headers tell", 0, True, False, 1.10, 20),
    Knowledge("nothing configured, only 429s tell", 0, False, False, 1.10, 20),
    Knowledge("configured twice too high", 2, False, False, 1.15, 30),
    Knowledge("half of it taken by another client", 1, False, True, 1.15, 30),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One account: its limit, how the provider counts it, and what is known of it."""

    rate: Rate
    kind: WindowKind
    knowledge: Knowledge

    @property
    def terms(self) -> Terms:
        told, kind = self.knowledge, self.kind
        return Terms(self.rate.count, self.rate.period_ms, kind, headers=told.headers, shared=told.shared)

    def account(self, token: str) -> dict[str, Any]:
        """Its table of the accounts file."""
        limit = {"limit": f"{self.rate.count * self.knowledge.factor}/{self.rate.period_ms // 1000}s"}
        return {"token": token} | (limit if self.knowledge.factor else {})

    def figures(self, one: Run, token: str, processes: int, who: str) -> Iterator[Figure]:
        stats, told = one.stats[token], self.knowledge
        where = f"{self.rate}, {self.kind}, {told.name}, {processes} process{'es' if processes > 1 else ''}"
        refused = 1000 * stats["refused"] / max(1, stats["accepted"])
        for measure, value, most in (
            ("time ÷ floor", one.seconds(token) / floor_seconds(self.terms, self.rate.jobs), told.makespan),
            ("refusals per 1,000 accepted", refused, told.refusals),
            ("calls inside a Retry-After", stats["inside"], 0),
        ):
            yield Figure(GOAL, where, value, "", who, (Bound("at most", most),), measure=measure)


def side_by_side(place: Place, ours: Ours, cases: Sequence[Case], processes: int) -> Iterator[Figure]:
    """Cases of one rate, an account each, all at work at the same time."""
    tokens = {f"shop{number}": case for number, case in enumerate(cases)}
    rate = cases[0].rate
    place.clear()
    load = load_of(place, processes, CONCURRENCY)
    ours.configure_all(load, {token: case.account(token) for token, case in tokens.items()})
    jobs = [job for many in zip(*(sample_jobs(rate.jobs, token) for token in tokens), strict=True) for job in many]
    with place.running(ours.worker_commands(load), ours.environment(load)) as group:
        terms = {token: case.terms for token, case in tokens.items()}
        most = 3 * max(floor_seconds(each, rate.jobs) for each in terms.values())
        one = watch(place, group, Work(terms, rate.jobs, most), lambda: ours.enqueue(load, jobs))
    for token, case in tokens.items():
        yield from case.figures(one, token, processes, ours.name)


def alone(place: Place, peer: Peer, case: Case, processes: int) -> Iterator[Figure]:
    """A peer's one account, of which it knows the limit."""
    load = load_of(place, processes, CONCURRENCY, case.terms)
    most = 3 * floor_seconds(case.terms, case.rate.jobs)
    one = run(place, peer, load, Work({load.token: case.terms}, case.rate.jobs, most))
    yield from case.figures(one, load.token, processes, peer.name)


def limit_used(
    rate: Rate,
    *,
    kinds: Sequence[WindowKind] = KINDS,
    knowledge: Sequence[Knowledge] = KNOWLEDGE,
    processes: int = 2,
) -> Callable[[Place, Peer], Iterator[Figure]]:
    """The scenario of these cases: ours in all of them, so many at once as do not disturb each other; a peer in the
    first."""

    def scenario(place: Place, peer: Peer) -> Iterator[Figure]:
        cases = [Case(QUICK if place.quick else rate, kind, told) for kind in kinds for told in knowledge]
        if isinstance(peer, Ours):
            most = MOST_A_SECOND * rate.period_ms // (1_000 * rate.count)
            for start in range(0, len(cases), most):
                yield from side_by_side(place, peer, cases[start : start + most], processes)
        else:
            yield from alone(place, peer, cases[0], processes)

    return scenario
