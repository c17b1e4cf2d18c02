"""Workers are killed at any moment, again and again, under load; jobs come in meanwhile by every way."""

import random
import time
from dataclasses import replace
from threading import Thread

from tests.integration.deployment import Deployment, within
from tests.resilience.report import Row
from tests.resilience.storm import Storm, by_celery, by_inbox, restore_unacknowledged

THREADS = "5"


def test_workers_that_are_killed_again_and_again(deployment: Deployment, storm: Storm, rows: list[Row]) -> None:
    workers = deployment.start_workers(3, CONCURRENCY=THREADS)
    half = storm.size // 2
    by_inbox(deployment, storm.jobs[half:])
    storm.took([receipt.id for receipt in deployment.accept(*storm.jobs[:half])])
    kills = storm.size // 100
    for number in range(kills):
        storm.wait_for((number + 1) * 0.8 / kills)
        time.sleep(random.Random(number).uniform(0, 0.1))
        workers.pop(0).kill()
        storm.hit()
        storm.healed()
        workers += deployment.start_workers(1, CONCURRENCY=THREADS)
    within(lambda: storm.delivered == storm.size, "all delivered", seconds=90)
    storm.took([receipt.id for receipt in deployment.accept(*storm.jobs[half:])])
    row = storm.end("worker killed (SIGKILL)")
    rows.append(row)
    assert row.lost == 0
    # A killed worker had five calls under way at most.
    assert row.repeated <= kills * int(THREADS)


def test_workers_that_are_killed_over_jobs_of_celery_clients(
    deployment: Deployment, is_long: bool, rows: list[Row]
) -> None:
    storm = Storm(deployment, 1_500 if is_long else 100)
    workers = deployment.start_workers(2, CONCURRENCY=THREADS)
    enqueuing = Thread(target=by_celery, args=(deployment, storm.jobs))
    enqueuing.start()
    kills = 10 if is_long else 1
    for number in range(kills):
        storm.wait_for((number + 1) * 0.7 / kills)
        workers.pop(0).kill()
        storm.hit()
        storm.healed()
        workers += deployment.start_workers(1, CONCURRENCY=THREADS)
        restore_unacknowledged(deployment)
    enqueuing.join()
    within(lambda: deployment.redis.llen("invitations") == 0 == deployment.redis.hlen("unacked"), "empty queues", 90)
    receipts = deployment.accept(*storm.jobs)
    storm.took([receipt.id for receipt in receipts])
    row = storm.end("worker killed (SIGKILL), jobs of a Celery client")
    rows.append(replace(row, lost=sum(receipt.created for receipt in receipts)))
    assert rows[-1].lost == 0
    assert row.repeated <= kills * int(THREADS)
