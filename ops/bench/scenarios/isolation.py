"""Goal 2: nobody waits for another."""

import time
from collections.abc import Iterator
from dataclasses import replace

from ops.bench.figures import Bound, Figure
from ops.bench.latency import latencies, percentile
from ops.bench.ours import Ours, sample_jobs
from ops.bench.peer import Load, Peer
from ops.bench.place import Place
from ops.bench.run import load_of
from ops.bench.terms import Terms

GOAL = 2
PROCESSES, CONCURRENCY = 2, 10
FREE, LIMITED = "free", "limited"
LIMITED_ACCOUNTS = 10


def beside_a_backlog(place: Place, peer: Peer) -> Iterator[Figure]:
    """A free account beside ten of two calls a second that have very much to do, and the same account alone."""
    assert isinstance(peer, Ours)
    backlog, count = (1_000, 40) if place.quick else (100_000, 400)
    load = load_of(place, PROCESSES, CONCURRENCY)
    limited = [f"{LIMITED}{number}" for number in range(LIMITED_ACCOUNTS)]
    tables = {name: {"token": name, "limit": "2/s"} for name in limited} | {FREE: {"token": FREE}}
    waiting = [job for name in limited for job in sample_jobs(backlog // LIMITED_ACCOUNTS, name)]
    p99: list[float] = []
    for where, jobs in (("alone", []), (f"beside {backlog:,} limited invitations", waiting)):
        place.clear()
        peer.configure_all(load, tables)
        place.provider.set_terms({FREE: Terms(), **{name: Terms(2, 1_000) for name in limited}})
        with place.running(peer.worker_commands(load), peer.environment(load)):
            if jobs:
                peer.enqueue(load, jobs)
            latencies(place, FREE, sample_jobs(20, FREE, "warm"), 0.02, lambda jobs: peer.enqueue(load, jobs))
            place.provider.set_terms({FREE: Terms()})
            found = latencies(place, FREE, sample_jobs(count, FREE), 0.02, lambda jobs: peer.enqueue(load, jobs))
        yield Figure(GOAL, f"a free account {where}: p50", percentile(found, 0.5) * 1000, "ms")
        p99.append(percentile(found, 0.99) * 1000)
        yield Figure(GOAL, f"a free account {where}: p99", p99[-1], "ms")
    what = "a free account: p99 beside the limited ones ÷ p99 alone"
    yield Figure(GOAL, what, p99[1] / p99[0], bounds=(Bound("at most", 1.2),))


def beside_a_limited_one(place: Place, peer: Peer) -> Iterator[Figure]:
    """What others can be asked as well: a free account beside one that has 600 jobs and 20 calls a second."""
    count = 60 if place.quick else 600
    terms = Terms(20, 1_000)
    load = replace(load_of(place, PROCESSES, CONCURRENCY, terms), token=LIMITED)
    free = replace(load, token=FREE)
    for where, backlog in (("alone", 0), ("beside 600 limited jobs", count)):
        place.clear()
        if isinstance(peer, Ours):
            tables = {LIMITED: {"token": LIMITED, "limit": "20/s"}, FREE: {"token": FREE}}
            peer.configure_all(load, tables)
        place.provider.set_terms({LIMITED: terms, FREE: Terms()})
        with place.running(peer.worker_commands(load), peer.environment(load)):
            if backlog:
                peer.enqueue(load, sample_jobs(backlog, LIMITED))
            found = _free(place, peer, free)
        value = percentile(found, 0.5) * 1000
        yield Figure(GOAL, "a free account's p50", value, "ms", peer.name, measure=where)


def _free(place: Place, peer: Peer, load: Load) -> list[float]:
    """Four jobs a second of the free account, for eight seconds."""
    jobs = sample_jobs(8 if place.quick else 32, FREE, "free")
    return latencies(place, FREE, jobs, 0.25, lambda those: peer.enqueue(load, those))


def fairness(place: Place, peer: Peer) -> Iterator[Figure]:
    """Two hundred accounts, all with more to do than there is time for: who was served how often, half way through."""
    assert isinstance(peer, Ours)
    accounts, each = (20, 20) if place.quick else (200, 50)
    names = [f"shop{number}" for number in range(accounts)]
    load = load_of(place, PROCESSES, CONCURRENCY)
    place.clear()
    peer.configure_all(load, {name: {"token": name} for name in names})
    with place.running(peer.worker_commands(load), peer.environment(load)) as group:
        place.provider.set_terms({name: Terms(latency_ms=5) for name in names})
        group.freeze()
        peer.enqueue(load, [job for name in names for job in sample_jobs(each, name)])
        group.thaw()
        served = [0]
        deadline = time.monotonic() + 60
        while sum(served) < accounts * each / 2 and time.monotonic() < deadline:
            time.sleep(0.05)
            stats = place.provider.all_stats()
            served = [stats[name]["accepted"] for name in names]
    index = sum(served) ** 2 / (len(served) * sum(count**2 for count in served))
    yield Figure(GOAL, f"fairness among {accounts} busy accounts (Jain)", index, bounds=(Bound("at least", 0.95),))


def idle_accounts(place: Place, peer: Peer) -> Iterator[Figure]:
    """A worker that has nothing to do, with few accounts and with very many."""
    assert isinstance(peer, Ours)
    load = load_of(place, 1, CONCURRENCY)
    seconds = 2 if place.quick else 15
    for count in (1, 100 if place.quick else 10_000):
        place.clear()
        peer.configure_all(load, {f"shop{number}": {"token": f"shop{number}"} for number in range(count)})
        with place.running(peer.worker_commands(load), peer.environment(load)) as group:
            # What a worker does once, at its start, is not yet over when it comes to rest for a moment.
            time.sleep(seconds)
            before = group.cpu_seconds()
            time.sleep(seconds)
            share = (group.cpu_seconds() - before) / seconds * 100
        bounds = (Bound("at most", 1.0),) if count > 1 else ()
        yield Figure(GOAL, f"an idle worker with {count:,} idle accounts: share of a core", share, "%", bounds=bounds)
