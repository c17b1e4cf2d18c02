"""taskiq's job, whichever broker carries it. Where the provider refuses, it is scheduled again after Retry-After."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from taskiq import TaskiqScheduler
from taskiq_redis import ListRedisScheduleSource

from ops.bench.peers import async_call
from ops.bench.peers.at_once import all_of
from ops.bench.peers.load import LOAD, Job


def scheduler_of(broker: Any) -> tuple[Any, Callable[[str, Sequence[Job]], Awaitable[None]]]:
    """Makes the task one of the broker's. Returns the broker's scheduler, and what enqueues."""
    schedule = ListRedisScheduleSource(LOAD.redis_url)

    @broker.task(task_name="invite")
    async def invite(token: str, job: Job) -> None:
        wait = await async_call.invite(token, job)
        if wait is not None:
            when = datetime.now(UTC) + timedelta(seconds=wait)
            await invite.schedule_by_time(schedule, when, token, job)

    async def enqueue(token: str, jobs: Sequence[Job]) -> None:
        await broker.startup()
        await all_of(lambda job: invite.kiq(token, job), jobs)

    return TaskiqScheduler(broker, [schedule]), enqueue
