"""Workers are killed at any moment, again and again, under load."""

import random
import time

from tests.integration.deployment import Deployment
from tests.resilience.report import Row
from tests.resilience.storm import Storm


def test_workers_that_are_killed_again_and_again(deployment: Deployment, storm: Storm, rows: list[Row]) -> None:
    chance, kills = random.Random(1), storm.size // 100
    workers = deployment.start_workers(3, CONCURRENCY="5")
    storm.begin()
    for number in range(kills):
        storm.wait_for((number + 1) * 0.8 / kills)
        time.sleep(chance.uniform(0, 0.1))
        workers.pop(0).kill()
        storm.hit()
        storm.healed()
        workers += deployment.start_workers(1, CONCURRENCY="5")
    row = storm.end("worker killed (SIGKILL)")
    rows.append(row)
    assert row.lost == 0
    # A killed worker had five calls under way at most.
    assert row.repeated <= kills * 5
