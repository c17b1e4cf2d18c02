"""Whether the work goes on: workers, what waits to be accepted, and beat."""

import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any, cast

from redis import Redis

from config.celery_values import BEAT_KEYS, BEAT_LOCK, INBOX, INBOX_READERS, QUEUE
from ops.doctor.findings import Check, Deployment, Finding, Level
from tasks.unaccepted import QUEUES, UNACKED_INDEX, strays
from worker.ledger import Ledger
from worker.overview import overview

ALIVE_MS = 10_000
COUNTED = 1_000
UNREAD_MS = 60_000
BEAT_SCHEDULE = f"{BEAT_KEYS}:schedule"
BEAT_LATE_SECONDS = 60
START = "start celery -A worker.app worker"


def check_workers(deployment: Deployment) -> Iterator[Finding]:
    """Some worker runs: each of them reads the inbox all the time, and takes its name out of it when it ends."""
    readers = _readers(deployment.redis)
    alive = sum(reader["idle"] < ALIVE_MS for reader in readers)
    if alive:
        gone = len(readers) - alive
        told = f"; {gone} more ended without a word in the last day: killed, cut off, or of an older version"
        yield Finding("ok", "workers", f"{alive} run{told if gone else ''}")
    else:
        level: Level = "problem" if _anything_due(deployment) else "warning"
        yield Finding(level, "workers", "none runs: nothing is delivered", START)


def check_inbox(deployment: Deployment) -> Iterator[Finding]:
    """The jobs in the inbox are read, and none was taken by a reader that died, and by no other since."""
    redis, long_ms = deployment.redis, 2 * deployment.settings.lease_seconds * 1000
    group = _group(redis)
    unread = int(redis.xlen(INBOX)) - (group["pending"] if group else 0)
    left = len(redis.xpending_range(INBOX, INBOX_READERS, "-", "+", COUNTED, idle=long_ms)) if group else 0
    if left:
        found = f"{left}{' or more' if left >= COUNTED else ''} jobs are held by readers that are gone"
        yield Finding("warning", "inbox", found, f"a worker takes them over when one runs: {START}")
    waited = _unread_ms(redis, group["last-delivered-id"] if group else "0") if unread > 0 else 0
    if waited > UNREAD_MS:
        found = f"{unread} jobs are not read, the oldest since {waited // 1000} s"
        yield Finding("problem", "inbox", found, f"{START}; where one runs, its log says what holds it up")
    elif not left:
        yield Finding("ok", "inbox", f"no dead reader holds a job, {max(unread, 0)} are not read yet")


def check_queue(deployment: Deployment) -> Iterator[Finding]:
    """Jobs of Celery clients are taken, and none was taken by a worker that died and by no other since."""
    redis = deployment.redis
    waiting = sum(int(redis.llen(queue)) for queue in QUEUES)
    # Celery writes this host's seconds there; a worker gives back what is older than a lease, or than a minute.
    long_ago = time.time() - 2 * max(60, deployment.settings.lease_seconds)
    left = int(redis.zcount(UNACKED_INDEX, "-inf", long_ago))
    if left:
        found = f"{left} messages were taken by workers that are gone"
        yield Finding("warning", "queue", found, f"another takes them over when one runs: {START}")
    if waiting and not any(reader["idle"] < ALIVE_MS for reader in _readers(redis)):
        yield Finding("problem", "queue", f"{waiting} messages wait in Celery's queue, and no worker runs", START)
    elif not left:
        yield Finding("ok", "queue", f"{waiting} messages wait in Celery's queue")


def check_strays(deployment: Deployment) -> Iterator[Finding]:
    """No job was sent to a queue that nobody reads."""
    counts = Counter(one.key for one in islice(strays(deployment.redis), COUNTED))
    for name, count in counts.items():
        many = " or more" if counts.total() >= COUNTED else ""
        found = f"{count}{many} jobs in the list {name}, which no worker reads: they are delivered by nobody"
        advice = f'mend the producer: queue="{QUEUE}"; let it send them again, and delete them from {name}'
        yield Finding("problem", "queue", found, advice)


def check_beat(deployment: Deployment) -> Iterator[Finding]:
    """Some beat holds the lock, which ends by itself when nobody holds it any longer, and starts what is due."""
    left_ms = int(deployment.redis.pttl(BEAT_LOCK))
    if left_ms == -1:
        found = "its lock has no end, so that no beat can take it"
        yield Finding("problem", "beat", found, f"redis-cli DEL {BEAT_LOCK}; a beat that runs makes its own")
        return
    if left_ms < 0:
        found = "none runs: nobody asks what was sent, and nothing old is erased"
        yield Finding("warning", "beat", found, "start celery -A worker.app beat")
        return
    first = cast(list[tuple[str, float]], deployment.redis.zrange(BEAT_SCHEDULE, 0, 0, withscores=True))
    late = time.time() - first[0][1] if first else 0
    if late > BEAT_LATE_SECONDS:
        found = f"holds its lock and starts nothing since {late:.0f} s"
        yield Finding("problem", "beat", found, "restart it; its log says what holds it up")
    else:
        yield Finding("ok", "beat", "runs")


CHECKS: tuple[Check, ...] = (check_workers, check_inbox, check_queue, check_strays, check_beat)


def _anything_due(deployment: Deployment) -> bool:
    """Whether a job waits to be accepted, or an invitation is due."""
    redis = deployment.redis
    if redis.xlen(INBOX) or any(redis.llen(queue) for queue in QUEUES):
        return True
    views = overview(Ledger(redis), deployment.accounts.values(), states=())
    return any(view.oldest_due_ms for view in views.values())


def _group(redis: Redis) -> dict[str, Any] | None:
    """The group of those who read the inbox; None where it was never read."""
    groups = redis.xinfo_groups(INBOX) if redis.exists(INBOX) else []
    return next((group for group in groups if group["name"] == INBOX_READERS), None)


def _readers(redis: Redis) -> list[dict[str, Any]]:
    return redis.xinfo_consumers(INBOX, INBOX_READERS) if _group(redis) else []


def _unread_ms(redis: Redis, last_read: str) -> int:
    """How long the first that nobody read has been there, in milliseconds: its id begins with when it came."""
    first = cast(list[tuple[str, Any]], redis.xrange(INBOX, f"({last_read}", count=1))
    return Ledger(redis).now() - int(first[0][0].partition("-")[0]) if first else 0
