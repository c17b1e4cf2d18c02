"""dramatiq with its window limiter, one window for each account, and its retries."""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.rate_limits import WindowRateLimiter
from dramatiq.rate_limits.backends import RedisBackend

from ops.bench.peers import call
from ops.bench.peers.load import LOAD, Job

MS_PER_SECOND = 1_000

dramatiq.set_broker(RedisBroker(url=LOAD.redis_url))
_windows = RedisBackend(url=LOAD.redis_url)


@dramatiq.actor(max_retries=None)
def invite(token: str, job: Job) -> None:
    with _turn(token) as may:
        if not may:
            raise dramatiq.Retry(delay=MS_PER_SECOND)
        wait = call.invite(token, job)
    if wait is not None:
        raise dramatiq.Retry(delay=wait * MS_PER_SECOND)


def enqueue(token: str, jobs: Sequence[Job]) -> None:
    for job in jobs:
        invite.send(token, job)


def _turn(token: str) -> AbstractContextManager[bool]:
    if LOAD.count is None or LOAD.period is None:
        return nullcontext(True)
    limiter = WindowRateLimiter(_windows, f"invite:{token}", limit=LOAD.count, window=math.ceil(LOAD.period))
    turn: AbstractContextManager[bool] = limiter.acquire(raise_on_failure=False)
    return turn
