"""One run: workers that have started find all jobs before them at once, and are watched until the last is delivered."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ops.bench.ours import Ours, sample_jobs
from ops.bench.peer import Load, Peer
from ops.bench.place import Place
from ops.bench.processes import Group
from ops.bench.terms import Terms

TOKEN = "token"
NS_PER_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Run:
    """`cpu`: seconds of the workers, `server_cpu`: of Redis. `round_trips`: how often Redis read from its clients.
    `commands`: what it ran, those inside of scripts too. `stats`: what the provider counted, by token. `expected`: how
    many it was to accept."""

    cpu: float
    server_cpu: float
    round_trips: int
    commands: int
    stats: dict[str, dict[str, int]]
    expected: dict[str, int]

    def seconds(self, token: str = TOKEN) -> float:
        """From the first call to the last that was accepted; infinite where not all were."""
        stats = self.stats[token]
        if stats["accepted"] < self.expected[token]:
            return math.inf
        return (stats["last_ns"] - stats["first_ns"]) / NS_PER_SECOND


def load_of(place: Place, processes: int, concurrency: int, terms: Terms | None = None) -> Load:
    """Where a peer works, and the limit that it is told of."""
    count = terms.count if terms else None
    period = terms.period_ms / 1000 if terms and count else None
    return Load(place.redis_url, place.provider.url, TOKEN, processes, concurrency, count, period)


@dataclass(frozen=True, slots=True)
class Work:
    """`count` jobs for each account of `terms`, by its token; given up after `seconds`."""

    terms: Mapping[str, Terms]
    count: int
    seconds: float = 60

    @property
    def expected(self) -> dict[str, int]:
        return dict.fromkeys(self.terms, self.count)


def watch(place: Place, group: Group, work: Work, enqueue: Callable[[], object]) -> Run:
    """Has workers that stand still find what `enqueue` brings, and waits until all of it is delivered."""
    place.provider.set_terms(work.terms)
    group.freeze()
    enqueue()
    place.redis.config_resetstat()
    reads, cpu, server_cpu = place.reads(), group.cpu_seconds(), place.server_cpu()
    group.thaw()
    if place.provider.wait_for(work.expected, work.seconds):
        group.wait_until_calm()
    used, stats = group.cpu_seconds() - cpu, place.provider.all_stats()
    server_cpu = place.server_cpu() - server_cpu
    return Run(used, server_cpu, place.reads() - reads, place.commands(), stats, work.expected)


def run(place: Place, peer: Peer, load: Load, work: Work, warm: int = 0) -> Run:
    """Does the work of one account, after `warm` other jobs of it that are not counted."""
    terms = work.terms[load.token]
    place.clear()
    if isinstance(peer, Ours):
        peer.configure(load)
    with place.running(peer.worker_commands(load), peer.environment(load)) as group:
        if warm:
            place.provider.set_terms({load.token: Terms(latency_ms=terms.latency_ms)})
            peer.enqueue(load, sample_jobs(warm, prefix="warm"))
            place.provider.wait_for({load.token: warm}, work.seconds)
            group.wait_until_calm()
        return watch(place, group, work, lambda: peer.enqueue(load, sample_jobs(work.count)))
