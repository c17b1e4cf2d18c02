"""Goal 5: how fast jobs are taken in, on each way."""

import json
import time
from collections.abc import Callable, Iterator
from functools import partial

from celery import Celery

from ops.bench import nothing
from ops.bench.figures import Bound, Figure
from ops.bench.ours import ACCOUNT, Job, Ours, sample_jobs
from ops.bench.peer import Load, Peer
from ops.bench.place import Place
from ops.bench.run import load_of

GOAL = 5
SEND = "messages of Celery's, one worker"
LATER = {"delay": {"amount": 5, "unit": "days"}}
LOOK_SECONDS = 0.01
PATIENCE_SECONDS = 60.0


def enqueuing(place: Place, peer: Peer) -> Iterator[Figure]:
    """From one process, in bulk, while no worker runs."""
    count = 500 if place.quick else 10_000
    load = load_of(place, 1, 20)
    place.clear()
    if isinstance(peer, Ours):
        peer.configure(load)
    peer.enqueue(load, sample_jobs(100, prefix="warm"))
    seconds = peer.enqueue(load, sample_jobs(count))
    bounds = (Bound("at least", 20_000), Bound("at least", 1.5, "BullMQ"))
    yield Figure(GOAL, "enqueued in bulk by one process", count / seconds, "/s", peer.name, bounds)


def by_celery(place: Place, peer: Peer) -> Iterator[Figure]:
    """Messages of any Celery client, which one worker accepts; they are to be delivered days later. Beside it as many
    of a task that does nothing."""
    load, count = load_of(place, 1, 20), 200 if place.quick else 4_000
    send = partial(_send_all, load, "invitations.send", "invitations")
    rate = _accepted(place, peer, load, count, send)
    yield Figure(GOAL, SEND, rate, "/s", bounds=(Bound("at least", 1_500), Bound("at least", 1, nothing.NAME)))
    place.clear()
    send = partial(_send_all, load, nothing.TASK, nothing.QUEUE)
    commands, environment = [nothing.worker_command(load)], nothing.environment(load)
    rate = _done(place, (commands, environment), _jobs(count), send, partial(_no_message_is_left, place))
    yield Figure(GOAL, SEND, rate, "/s", nothing.NAME)


def _send_all(load: Load, task: str, queue: str, jobs: list[Job]) -> None:
    client = Celery(broker=load.redis_url, backend=load.redis_url)
    with client.producer_or_acquire() as producer:
        for job in jobs:
            client.send_task(task, [job], queue=queue, producer=producer)


def _no_message_is_left(place: Place) -> bool:
    return not (place.redis.llen(nothing.QUEUE) or place.redis.hlen("unacked"))


def by_inbox(place: Place, peer: Peer) -> Iterator[Figure]:
    """Entries of the stream, which one worker accepts."""
    count = 500 if place.quick else 20_000
    load = load_of(place, 1, 20)

    def publish(jobs: list[Job]) -> None:
        with place.redis.pipeline(transaction=False) as pipe:
            for job in jobs:
                pipe.xadd("invitations:inbox", {"job": json.dumps(job)})
            pipe.execute()

    rate = _accepted(place, peer, load, count, publish)
    yield Figure(GOAL, "inbox, one worker", rate, "/s", bounds=(Bound("at least", 5_000),))


def _accepted(place: Place, peer: Peer, load: Load, count: int, publish: Callable[[list[Job]], None]) -> float:
    """Jobs a second that a worker accepts."""
    assert isinstance(peer, Ours)
    place.clear()
    peer.configure(load)
    workers = peer.worker_commands(load), peer.environment(load)
    return _done(
        place, workers, _jobs(count), publish, lambda: place.redis.zcard(f"invitations:line:{ACCOUNT}") >= count
    )


def _jobs(count: int) -> list[Job]:
    return [job | LATER for job in sample_jobs(count)]


def _done(
    place: Place,
    workers: tuple[list[list[str]], dict[str, str]],
    jobs: list[Job],
    publish: Callable[[list[Job]], None],
    all_done: Callable[[], bool],
) -> float:
    """Jobs a second that workers are done with, which find all of them at once; 0 where they are not in time."""
    with place.running(*workers) as group:
        group.freeze()
        publish(jobs)
        began = time.monotonic()
        group.thaw()
        while not all_done():
            if time.monotonic() > began + PATIENCE_SECONDS:
                return 0.0
            time.sleep(LOOK_SECONDS)
        return len(jobs) / (time.monotonic() - began)
