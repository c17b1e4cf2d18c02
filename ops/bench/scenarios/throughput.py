"""Goal 3: without a limit, how many invitations a second, and what one costs."""

from collections.abc import Iterator

from ops.bench.figures import BARE, Bound, Figure
from ops.bench.peer import Peer
from ops.bench.place import Place
from ops.bench.run import TOKEN, Work, load_of, run
from ops.bench.terms import Terms

PROCESSES, CONCURRENCY = 2, 20
GOAL = 3
BOUNDS = {
    50: (Bound("at least", 0.95, BARE), Bound("at least", 1, "peers")),
    0: (Bound("at least", 1, "Python peers"), Bound("at least", 1.5, "Celery")),
}
CPU = {50: (), 0: (Bound("at most", 1.6),)}


def throughput(place: Place, peer: Peer, latency_ms: int) -> Iterator[Figure]:
    """Jobs a second and CPU of one, of all workers together."""
    count = 400 if place.quick else 6_000
    terms = Terms(latency_ms=latency_ms)
    load = load_of(place, PROCESSES, CONCURRENCY)
    one = run(place, peer, load, Work({TOKEN: terms}, count), warm=PROCESSES * CONCURRENCY)
    done = max(1, one.stats[TOKEN]["accepted"])
    at = f"provider answers after {latency_ms} ms"

    def figure(measure: str, value: float, unit: str, bounds: tuple[Bound, ...] = ()) -> Figure:
        return Figure(GOAL, at, value, unit, peer.name, bounds, measure=measure)

    yield figure("jobs", count / one.seconds(), "/s", BOUNDS[latency_ms])
    yield figure("CPU of the workers for each", one.cpu / done * 1000, "ms", CPU[latency_ms])
    yield figure("CPU of Redis for each", one.server_cpu / done * 1000, "ms")
    yield figure("round trips to Redis for each", one.round_trips / done, "")
    yield figure("commands of Redis for each", one.commands / done, "")


def at_50_ms(place: Place, peer: Peer) -> Iterator[Figure]:
    return throughput(place, peer, 50)


def at_0_ms(place: Place, peer: Peer) -> Iterator[Figure]:
    return throughput(place, peer, 0)
