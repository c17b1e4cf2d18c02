"""arq with its retries. It has no limiter."""

from collections.abc import Sequence
from typing import Any, ClassVar

from arq import Retry, create_pool, func
from arq.connections import ArqRedis, RedisSettings

from ops.bench.peers import async_call
from ops.bench.peers.at_once import all_of
from ops.bench.peers.load import LOAD, Job

MOST = 1_000_000
QUIET = {"version": 1}
"""It would log two lines for each job."""

_settings = RedisSettings.from_dsn(LOAD.redis_url)
_pools: list[ArqRedis] = []


async def invite(_context: dict[str, Any], token: str, job: Job) -> None:
    wait = await async_call.invite(token, job)
    if wait is not None:
        raise Retry(defer=wait)


class WorkerSettings:
    functions: ClassVar = [func(invite, max_tries=MOST, keep_result=0)]
    redis_settings = _settings
    max_jobs = LOAD.concurrency


async def enqueue(token: str, jobs: Sequence[Job]) -> None:
    pool = await _pool()
    await all_of(lambda job: pool.enqueue_job("invite", token, job), jobs)


async def _pool() -> ArqRedis:
    if not _pools:
        _pools.append(await create_pool(_settings))
    return _pools[0]
