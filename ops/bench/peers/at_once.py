"""Enqueuing with asyncio: many at the same time, in order."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from ops.bench.peers.load import Job

AT_ONCE = 100


async def all_of(enqueue: Callable[[Job], Awaitable[object]], jobs: Sequence[Job]) -> None:
    """Awaits `enqueue` for each job, a hundred at a time."""
    for first in range(0, len(jobs), AT_ONCE):
        await asyncio.gather(*(enqueue(job) for job in jobs[first : first + AT_ONCE]))
