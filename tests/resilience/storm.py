"""Invitations of three providers under way while something is broken on purpose, and what became of them."""

import json
import time
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from celery import Celery
from redis.exceptions import RedisError

from tests.integration.deployment import Deployment, Job, job, within
from tests.integration.processes import Running
from tests.property.invariants import check_places
from tests.property.snapshot import take_snapshot
from tests.resilience.report import Row
from worker.ledger import NO_ACCOUNT

ACCOUNTS = ("shop_nl", "portal", "reviews")
BATCH = 500


@dataclass
class Storm:
    """`size` invitations, spread over the accounts: unless told otherwise, one of each provider."""

    deployment: Deployment
    size: int
    accounts: tuple[str, ...] = ACCOUNTS
    # What an invitation must have come to at the end.
    ends: tuple[str, ...] = ("accepted", "sent")
    injected: int = 0
    ids: list[str] = field(default_factory=list)
    _healed: list[int] = field(default_factory=list)

    @property
    def jobs(self) -> list[Job]:
        return [job(self.accounts[number % len(self.accounts)], number) for number in range(self.size)]

    def begin(self) -> None:
        """Enqueues all of them."""
        jobs = self.jobs
        for start in range(0, self.size, BATCH):
            self.ids += [receipt.id for receipt in self.deployment.accept(*jobs[start : start + BATCH])]

    def took(self, ids: list[str]) -> None:
        """For a storm that enqueues in its own way: the ids of its invitations, in the order of `jobs`."""
        self.ids += ids

    @property
    def delivered(self) -> int:
        """How many the providers took, as far as the ledger knows; 0 while Redis is away."""
        try:
            return sum(self.deployment.count(account, state) for account in self.accounts for state in self.ends)
        except RedisError:
            return 0

    def wait_for(self, share: float, seconds: float = 60) -> None:
        """Until that share of them (0 to 1) is delivered."""
        within(lambda: self.delivered >= share * self.size, f"{share:.0%} delivered", seconds)

    def wait_for_more(self, number: int = 1, seconds: float = 60) -> None:
        """Until so many more are delivered, or all."""
        goal = min(self.delivered + number, self.size)
        within(lambda: self.delivered >= goal, f"{goal} delivered", seconds)

    def hit(self, times: int = 1) -> None:
        """The fault was injected."""
        self.injected += times

    def healed(self) -> None:
        """The fault is over: from now on deliveries are expected."""
        self._healed.append(int(time.time() * 1000))

    def end(self, fault: str, seconds: float = 90) -> Row:
        """Waits until all are delivered, and counts. Raises AssertionError where one stands in no place or in two."""
        within(lambda: self.delivered == self.size, "all delivered", seconds)
        self.check_places()
        return Row(fault, self.injected, self.size, self.lost(), self.repeated(), self._recovered())

    def check_places(self) -> None:
        """Every invitation has one state, and stands in the one place of it."""
        accounts = [*self.deployment.accounts, NO_ACCOUNT]
        check_places(take_snapshot(self.deployment.redis, accounts, accounts))

    @property
    def attempts(self) -> int:
        """Attempts that were counted, of all of them together."""
        return sum(record.attempts for record in self.deployment.records.many(self.ids))

    def lost(self) -> int:
        """How many are in no state that says that the provider took them."""
        records = self.deployment.records.many(self.ids)
        assert len(set(self.ids)) == self.size
        return self.size - sum(record.state in self.ends for record in records)

    def repeated(self) -> int:
        """Calls that the providers processed though they had the invitation, answered or not."""
        return sum(self.deployment.stats(account).get("duplicates", 0) for account in self.accounts)

    def _recovered(self) -> float:
        """Seconds from the end of a fault to the next delivery, at the longest."""
        entries: Any = self.deployment.redis.xrange("invitations:events")
        accepted = [int(fields["at"]) for _, fields in entries if fields["state"] == "accepted"]
        gaps = chain.from_iterable(
            (next((at - healed for at in accepted if at >= healed), 0),) for healed in self._healed
        )
        return max(gaps, default=0) / 1000


def check_unharmed(*processes: Running) -> None:
    """None of them ended, and none printed a traceback."""
    for process in processes:
        assert process.alive, f"{process.name} ended\n{process.text[-4000:]}"
        assert "Traceback" not in process.text, f"{process.name}\n{process.text[-8000:]}"


def restore_unacknowledged(deployment: Deployment) -> None:
    """As if the visibility timeout were over: what was taken from Celery's queues and not acknowledged goes back."""
    client: Any = Celery(broker=deployment.redis_url)
    client.conf.broker_transport_options = {"visibility_timeout": 0}
    with client.connection() as connection, connection.channel() as channel:
        channel.qos.restore_visible(num=None, interval=1)


def by_inbox(deployment: Deployment, jobs: list[Job]) -> None:
    """Enqueues them as any Redis client does."""
    with deployment.redis.pipeline() as pipe:
        for one in jobs:
            pipe.xadd("invitations:inbox", {"job": json.dumps(one)})
        pipe.execute()


def by_celery(deployment: Deployment, jobs: list[Job]) -> None:
    """Enqueues them as any Celery client does."""
    client = deployment.client()
    with client.producer_or_acquire() as producer:
        for one in jobs:
            client.send_task("invitations.send", args=[one], queue="invitations", producer=producer, ignore_result=True)
