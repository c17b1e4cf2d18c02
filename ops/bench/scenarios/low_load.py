"""Goal 4: at low load, how soon a job that was enqueued is at its provider."""

from collections.abc import Iterator

from ops.bench.figures import Bound, Figure
from ops.bench.latency import latencies, percentile
from ops.bench.ours import Ours, sample_jobs
from ops.bench.peer import Peer
from ops.bench.place import Place
from ops.bench.run import TOKEN, load_of
from ops.bench.terms import Terms

GOAL = 4
PROCESSES, CONCURRENCY = 2, 10
WARM = 20
EVERY_SECONDS = 0.02


def low_load(place: Place, peer: Peer) -> Iterator[Figure]:
    """Fifty jobs a second, one at a time, to workers that have nothing else to do."""
    count = 50 if place.quick else 500
    load = load_of(place, PROCESSES, CONCURRENCY)
    place.clear()
    if isinstance(peer, Ours):
        peer.configure(load)
    with place.running(peer.worker_commands(load), peer.environment(load)):
        place.provider.set_terms({TOKEN: Terms()})
        latencies(place, TOKEN, sample_jobs(WARM, prefix="warm"), EVERY_SECONDS, lambda jobs: peer.enqueue(load, jobs))
        place.provider.set_terms({TOKEN: Terms()})
        found = latencies(place, TOKEN, sample_jobs(count), EVERY_SECONDS, lambda jobs: peer.enqueue(load, jobs))
    for share in (0.5, 0.99):
        value = percentile(found, share) * 1000
        bound = Bound("at most", 1, "Celery")
        yield Figure(GOAL, "enqueued to called", value, "ms", peer.name, (bound,), measure=f"p{share * 100:g}")
