"""Celery's messages are not what deliveries rest on: whatever rings for whatever invitation changes nothing."""

import random

from tests.integration.deployment import Deployment, within
from tests.resilience.messages import doorbell
from tests.resilience.report import Row
from tests.resilience.storm import ACCOUNTS, Storm

QUEUE = "invitations"


def test_doorbells_for_what_waits_is_called_and_is_done(
    deployment: Deployment, storm: Storm, rows: list[Row], is_long: bool
) -> None:
    deployment.simulator.control(latency_ms=100 if is_long else 300)
    deployment.start_workers(2, CONCURRENCY="10")
    storm.begin()
    rounds, chance = 20 if is_long else 4, random.Random(3)
    for number in range(rounds):
        storm.wait_for(number * 0.8 / rounds)
        called = [
            str(one)
            for account in ACCOUNTS
            for one in deployment.redis.zrange(f"invitations:inflight:{account}", 0, -1)
        ]
        rung = [*chance.sample(storm.ids, 20), *called, *called]
        chance.shuffle(rung)
        for invitation in rung:
            deployment.redis.lpush(QUEUE, doorbell(QUEUE, invitation))
        storm.hit(len(rung))
        storm.healed()
    row = storm.end("Celery messages that ring for what waits, is called or is done")
    within(lambda: deployment.redis.llen(QUEUE) == 0, "an empty queue")
    rows.append(row)
    assert storm.injected > rounds * 20, "some rang for what was being called"
    assert (storm.lost(), storm.repeated(), storm.attempts) == (0, 0, 0)
