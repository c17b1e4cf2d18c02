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
    at = f"provider answers after {latency_ms} ms"
    yield Figure(GOAL, f"{at}: jobs a second", count / one.seconds(), "/s", peer.name, BOUNDS[latency_ms])
    yield Figure(GOAL, f"{at}: CPU of the workers for each", one.cpu / count * 1000, "ms", peer.name, CPU[latency_ms])
    yield Figure(GOAL, f"{at}: round trips to Redis for each", one.round_trips / count, "", peer.name)
    yield Figure(GOAL, f"{at}: commands that Redis ran for each", one.commands / count, "", peer.name)


def at_50_ms(place: Place, peer: Peer) -> Iterator[Figure]:
    return throughput(place, peer, 50)


def at_0_ms(place: Place, peer: Peer) -> Iterator[Figure]:
    return throughput(place, peer, 0)
