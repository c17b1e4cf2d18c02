"""RQ with its retries. It has limits for jobs at once, none for jobs a second.

Workers read this module as their settings, so they have it loaded before they fork for each job.
"""

from collections.abc import Sequence

from redis import Redis
from rq import Queue, Retry

from ops.bench.peers import call
from ops.bench.peers.load import LOAD, Job

REDIS_URL = LOAD.redis_url
MOST = 1_000_000

_queue = Queue("invite", connection=Redis.from_url(REDIS_URL))


def invite(token: str, job: Job) -> Retry | None:
    wait = call.invite(token, job)
    return None if wait is None else Retry(max=MOST, interval=wait)


def enqueue(token: str, jobs: Sequence[Job]) -> None:
    _queue.enqueue_many([Queue.prepare_data(invite, (token, job), result_ttl=0) for job in jobs])
