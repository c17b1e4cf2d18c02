"""Goal 7: how soon deliveries go on where a worker is killed, or told to end."""

import time
from collections.abc import Callable, Iterator
from itertools import pairwise

from ops.bench.figures import Bound, Figure
from ops.bench.ours import Ours, sample_jobs
from ops.bench.peer import Load, Peer
from ops.bench.place import Place
from ops.bench.processes import BenchError
from ops.bench.run import NS_PER_SECOND, TOKEN, load_of
from ops.bench.terms import Terms

GOAL = 7
LEASE_SECONDS = 20
ANSWER_MS = 17_000
CALLS = 10


def killed(place: Place, peer: Peer) -> Iterator[Figure]:
    """SIGKILL while calls are under way; another worker makes them again."""
    assert isinstance(peer, Ours)
    load = _ready(place, peer, ANSWER_MS, timeout=LEASE_SECONDS - 2)
    with place.running(peer.worker_commands(load), _environment(peer, load)) as first:
        peer.enqueue(load, sample_jobs(CALLS))
        _wait_for(lambda: _stats(place)["accepted"] == CALLS, 20, "the first calls")
        with place.running(_another(peer, load), _environment(peer, load)):
            first.kill()
            _wait_for(lambda: _stats(place)["again"] == CALLS, 3 * LEASE_SECONDS, "the calls of a killed worker, again")
            seconds = time.monotonic() - _stats(place)["first_ns"] / NS_PER_SECOND
    bound = Bound("at most", LEASE_SECONDS + 1)
    what = f"SIGKILL, lease of {LEASE_SECONDS} s: from {CALLS} calls to the last of them made again"
    yield Figure(GOAL, what, seconds, "s", bounds=(bound,))


def terminated(place: Place, peer: Peer) -> Iterator[Figure]:
    """SIGTERM to one of two workers that are busy."""
    assert isinstance(peer, Ours)
    count = 300 if place.quick else 2_000
    load = _ready(place, peer, 50)
    with (
        place.running(peer.worker_commands(load), _environment(peer, load)) as first,
        place.running(_another(peer, load), _environment(peer, load)) as second,
    ):
        for group in (first, second):
            group.freeze()
        peer.enqueue(load, sample_jobs(count))
        for group in (first, second):
            group.thaw()
        _wait_for(lambda: _stats(place)["accepted"] > count // 10, 30, "the first deliveries")
        at = time.monotonic_ns()
        first.terminate()
        _wait_for(lambda: _stats(place)["accepted"] == count, 60, "the rest of the deliveries")
        times = [at, *(ns for ns in sorted(place.provider.accepted(TOKEN).values()) if ns > at)]
        again = _stats(place)["again"]
    pause = max(after - before for before, after in pairwise(times)) / NS_PER_SECOND
    yield Figure(GOAL, "SIGTERM to one of two: longest pause in deliveries", pause, "s", bounds=(Bound("at most", 1),))
    yield Figure(GOAL, "SIGTERM to one of two: calls made twice", again, bounds=(Bound("at most", 0),))


def _ready(place: Place, ours: Ours, latency_ms: int, timeout: float = 10) -> Load:
    load = load_of(place, 1, 20)
    place.clear()
    ours.configure(load, timeout=timeout)
    place.provider.set_terms({TOKEN: Terms(latency_ms=latency_ms)})
    return load


def _environment(ours: Ours, load: Load) -> dict[str, str]:
    return ours.environment(load) | {"INVITATIONS_LEASE_SECONDS": str(LEASE_SECONDS)}


def _another(ours: Ours, load: Load) -> list[list[str]]:
    """The command of one more worker, under a name of its own."""
    return [[*command[:-1], "another@bench"] for command in ours.worker_commands(load)]


def _stats(place: Place) -> dict[str, int]:
    return place.provider.all_stats()[TOKEN]


def _wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Raises BenchError, saying what did not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BenchError(f"not within {seconds:g} s: {what}")
        time.sleep(0.05)
