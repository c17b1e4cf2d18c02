"""Celery's messages are doorbells: lost, doubled, late or in another order, they change nothing."""

import json
import random
import time
from typing import Any

from tests.integration.deployment import Deployment, within
from tests.resilience.report import Row
from tests.resilience.storm import Storm

QUEUE = "invitations.deliver"


def test_messages_are_doubled_held_back_and_lost(
    deployment: Deployment, storm: Storm, rows: list[Row], is_long: bool
) -> None:
    deployment.simulator.control(latency_ms=100)
    deployment.start_workers(2, CONCURRENCY="10")
    storm.begin()
    meddler, rounds = Meddler(deployment, storm), 20 if is_long else 5
    for number in range(rounds):
        storm.wait_for(number * 0.8 / rounds)
        within(lambda: deployment.redis.llen(QUEUE) > 0 or storm.delivered == storm.size, "messages in the queue")
        if number % 5 == 4:
            meddler.lose()
        elif number % 2 == 0:
            meddler.double()
        else:
            # In the long version also for longer than a lease.
            meddler.hold_back(0.5 * (number % 13))
        storm.healed()
    row = storm.end("Celery messages lost, doubled, late and reordered")
    meddler.double(meddler.seen)
    within(lambda: deployment.redis.llen(QUEUE) == 0, "an empty queue")
    rows.append(row)
    assert min(meddler.lost, meddler.doubled, meddler.held_back) > 0
    assert (storm.lost(), storm.repeated(), storm.attempts) == (0, 0, 0)


class Meddler:
    """Takes messages out of Celery's queue, and puts others in."""

    def __init__(self, deployment: Deployment, storm: Storm) -> None:
        self.lost = self.doubled = self.held_back = 0
        self.seen: list[str] = []
        self._redis: Any = deployment.redis
        self._storm = storm
        self._chance = random.Random(3)

    def lose(self) -> None:
        """Everything that Celery holds of deliveries, in the queue and in the hands of workers."""
        lost, *_ = self._redis.pipeline().llen(QUEUE).delete(QUEUE, "unacked", "unacked_index").execute()
        self.lost += lost
        self._storm.hit(lost)

    def double(self, messages: list[str] | None = None) -> None:
        """Each message once more as it is, and once more as a message of its own."""
        if messages is None:
            messages = self._redis.lrange(QUEUE, 0, -1)
            self.seen += messages
        for message in messages:
            self._redis.lpush(QUEUE, message, another(message))
        self.doubled += len(messages)
        self._storm.hit(len(messages))

    def hold_back(self, seconds: float) -> None:
        """Those in the queue for so long; then they come in another order."""
        taken = self._redis.lpop(QUEUE, 1000) or []
        time.sleep(seconds)
        self._chance.shuffle(taken)
        if taken:
            self._redis.lpush(QUEUE, *taken)
        self.held_back += len(taken)
        self._storm.hit(len(taken))


def another(message: str) -> str:
    """For the same invitation, and for Celery another message."""
    held = json.loads(message)
    held["properties"]["delivery_tag"] += "-again"
    return json.dumps(held)
