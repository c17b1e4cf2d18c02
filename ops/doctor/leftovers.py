"""What workers of an older version, and faults, left behind in Redis: found by the doctor, removed by `--tidy`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import cast

from redis import Redis

from ops.doctor.findings import Check, Deployment, Finding
from ops.doctor.gates import FAULT, gates_known
from tasks.unaccepted import UNACKED, UNACKED_INDEX, list_of_note
from worker.job_text import FIELDS
from worker.reencrypt import BATCH, RECORD

# Where workers of 0.1.0 had deliveries announced to each other by Celery.
OLD_QUEUE = "invitations.deliver"
OLD_BINDING = f"_kombu.binding.{OLD_QUEUE}"
PIECES = FIELDS[1:]
# As job.lua says it.
OPTED_OUT = ("suppressed", "the address asked for no invitations")
LOOKED_AT = 1_000
TIDY = "invitations doctor --tidy"


@dataclass(slots=True)
class Tidied:
    """How much was removed: messages of older workers, jobs that should have gone with their customer, and notes of
    faults."""

    messages: int = 0
    jobs: int = 0
    notes: int = 0


def check_leftovers(deployment: Deployment) -> Iterator[Finding]:
    """Nothing of an older version is left: no deliveries that it announced, no job that it kept of who is forgotten."""
    redis = deployment.redis
    messages = int(redis.llen(OLD_QUEUE))
    if messages:
        found = f"{messages} messages in {OLD_QUEUE}, which workers of 0.1.0 read and newer ones do not"
        advice = f"their invitations come by themselves; when no worker of 0.1.0 is to come back: {TIDY}"
        yield Finding("warning", "leftovers", found, advice)
    keys = list(islice(cast(Iterator[str], redis.scan_iter(f"{RECORD}*", count=BATCH)), LOOKED_AT))
    kept = len(_half_erased(redis, keys))
    if kept:
        found = f"of {len(keys)} records looked at, {kept} hold the job of a customer who was forgotten or opted out"
        advice = f"an older version did it by half: {TIDY}; run forget and suppress of the newest version alone"
        yield Finding("problem", "leftovers", found, advice)
    if not messages and not kept:
        yield Finding("ok", "leftovers", f"none of an older version ({len(keys)} records looked at)")


def tidy(redis: Redis, advance: Callable[[int], None] = lambda keys: None) -> Tidied:
    """Removes all of it. Safe beside running workers of any version: what a message of theirs announced comes back when
    its lease ends. `advance` is called with the number of keys that were looked at since (all: DBSIZE)."""
    done = Tidied(messages=_drop_messages(redis))
    for gate in gates_known(redis):
        done.notes += int(redis.hdel(f"invitations:gate:{gate}", FAULT))
    keys = cast(Iterator[str], redis.scan_iter(count=BATCH))
    while page := list(islice(keys, BATCH)):
        for key in _half_erased(redis, [key for key in page if key.startswith(RECORD)]):
            redis.hdel(key, *PIECES)
            done.jobs += 1
        advance(len(page))
    return done


def _half_erased(redis: Redis, keys: list[str]) -> list[str]:
    """A version that kept a job in one field emptied that alone. Nobody writes to such a record's job again."""
    with redis.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.hmget(key, "forgotten_at", "state", "reason", *PIECES)
        held = cast(list[list[str | None]], pipe.execute())
    return [
        key
        for key, (forgotten, state, reason, *pieces) in zip(keys, held, strict=True)
        if (forgotten or (state, reason) == OPTED_OUT) and any(pieces)
    ]


def _drop_messages(redis: Redis) -> int:
    """Those that wait, and those that a worker took and did not acknowledge: they would be put back."""
    taken = cast(Iterator[tuple[str, str]], redis.hscan_iter(UNACKED, count=BATCH))
    theirs = [tag for tag, note in taken if list_of_note(note) == OLD_QUEUE]
    with redis.pipeline() as pipe:
        pipe.llen(OLD_QUEUE)
        pipe.delete(OLD_QUEUE, OLD_BINDING)
        for tag in theirs:
            pipe.hdel(UNACKED, tag)
            pipe.zrem(UNACKED_INDEX, tag)
        return int(pipe.execute()[0]) + len(theirs)


CHECKS: tuple[Check, ...] = (check_leftovers,)
