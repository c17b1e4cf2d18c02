"""huey with its window limiter, one window for each account, and its retries."""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from huey import RedisHuey
from huey.exceptions import RetryTask

from ops.bench.peers import call
from ops.bench.peers.load import LOAD, Job

huey = RedisHuey("peer", url=LOAD.redis_url, results=False)


@huey.task()
def invite(token: str, job: Job) -> None:
    with _turn(token):
        wait = call.invite(token, job)
    if wait is not None:
        raise RetryTask(delay=wait)


def enqueue(token: str, jobs: Sequence[Job]) -> None:
    for job in jobs:
        invite(token, job)


def _turn(token: str) -> AbstractContextManager[Any]:
    """Where it is not the account's turn, this raises, and huey has the task wait for the next window."""
    if LOAD.count is None or LOAD.period is None:
        return nullcontext()
    turn: AbstractContextManager[Any] = huey.rate_limit(f"invite:{token}", LOAD.count, math.ceil(LOAD.period))
    return turn
