"""Celery's messages are doorbells: lost, doubled, late or in another order, they change nothing."""

import json
import random
import time
from collections.abc import Callable
from typing import Any

from tests.integration.deployment import Deployment, within
from tests.resilience.conftest import LEASE_SECONDS
from tests.resilience.report import Row
from tests.resilience.storm import Storm

QUEUE = "invitations.deliver"


def test_messages_are_doubled_held_back_and_lost(
    deployment: Deployment, storm: Storm, rows: list[Row], is_long: bool
) -> None:
    # So slow that there are messages left for every fault.
    deployment.simulator.control(latency_ms=100 if is_long else 300)
    deployment.start_workers(2, CONCURRENCY="10")
    storm.begin()
    meddler, rounds = Meddler(deployment, storm), 4 if is_long else 1
    for number in range(rounds * len(FAULTS)):
        storm.wait_for(number * 0.8 / (rounds * len(FAULTS)))
        meddler.strike(FAULTS[number % len(FAULTS)])
        storm.healed()
    row = storm.end("Celery messages lost, doubled, late and reordered")
    meddler.ring(meddler.seen)
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

    def strike(self, fault: Callable[["Meddler"], int]) -> None:
        """Until it hits some message."""
        within(lambda: fault(self) > 0 or self._storm.delivered == self._storm.size, "messages in the queue")

    def lose(self) -> int:
        """Everything that Celery holds of deliveries, in the queue and in the hands of workers. How many."""
        lost, *_ = self._redis.pipeline().llen(QUEUE).delete(QUEUE, "unacked", "unacked_index").execute()
        self.lost += lost
        self._storm.hit(lost)
        return int(lost)

    def double(self) -> int:
        """Each message once more as it is, and once more as a message of its own."""
        messages = self._redis.lrange(QUEUE, 0, -1)
        self.seen += messages
        self.doubled += len(messages)
        self.ring(messages)
        return len(messages)

    def ring(self, messages: list[str]) -> None:
        for message in messages:
            self._redis.lpush(QUEUE, message, another(message))
        self._storm.hit(len(messages))

    def hold_back(self) -> int:
        """Those in the queue for a while, in the end for longer than a lease; then they come in another order."""
        taken = self._redis.lpop(QUEUE, 1000) or []
        if taken:
            time.sleep(1 if self.held_back < 100 else LEASE_SECONDS + 1)
            self._chance.shuffle(taken)
            self._redis.lpush(QUEUE, *taken)
        self.held_back += len(taken)
        self._storm.hit(len(taken))
        return len(taken)


def another(message: str) -> str:
    """For the same invitation, and for Celery another message."""
    held = json.loads(message)
    held["properties"]["delivery_tag"] += "-again"
    return json.dumps(held)


FAULTS = (Meddler.double, Meddler.lose, Meddler.hold_back, Meddler.double, Meddler.hold_back)
