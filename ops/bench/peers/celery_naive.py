"""Celery as most would write it: try, and where the provider refuses, again after Retry-After."""

from collections.abc import Sequence
from typing import Any

from celery import Celery, Task

from ops.bench.peers import call
from ops.bench.peers.load import LOAD, Job

app = Celery("peer", broker=LOAD.redis_url)
# Each job that runs acknowledges over a connection of its own: the ten that there are otherwise run out.
app.conf.broker_transport_options = {"max_connections": 2 * LOAD.concurrency}


@app.task(bind=True, acks_late=True, ignore_result=True, max_retries=None)
def invite(self: Task[Any, None], token: str, job: Job) -> None:
    wait = call.invite(token, job)
    if wait is not None:
        raise self.retry(countdown=wait)


def enqueue(token: str, jobs: Sequence[Job]) -> None:
    with app.producer_or_acquire() as producer:
        for job in jobs:
            invite.apply_async((token, job), producer=producer)
