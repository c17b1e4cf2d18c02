"""Accounts do not stand in each other's way, and what waits sits in the line and nowhere else."""

from time import sleep
from typing import Any

import pytest
import requests

from tests.integration.deployment import Deployment, job, within

DAY_MS = 86_400_000


@pytest.fixture(scope="module", autouse=True)
def _worker(deployment: Deployment) -> None:
    deployment.add_account("limited", provider="wemasy", token="token-of-limited", limit="10/minute")
    deployment.add_account("slow", provider="wemasy", token="token-of-slow")
    deployment.add_account("refusing", provider="wemasy", token="token-of-refusing")
    deployment.add_account("free", provider="wemasy", token="token-of-free")
    deployment.start_worker()


def in_celery(deployment: Deployment) -> int:
    """Messages in Celery's queue, and those that a worker has taken and not acknowledged."""
    return int(deployment.redis.llen("invitations") + deployment.redis.hlen("unacked"))


def calls_before(deployment: Deployment, backlog: str, number: str) -> int:
    """Delivers one of the free account. How many calls of the account with a backlog began meanwhile."""
    one = deployment.wait_for(deployment.accept(job("free", number))[0].id, "accepted").id
    entries: Any = deployment.redis.xrange("invitations:events")
    changes = [(fields["id"], fields["account"], fields["state"]) for _, fields in entries]
    start, end = (changes.index((one, "free", state)) for state in ("queued", "delivering"))
    return sum((account, state) == (backlog, "delivering") for _, account, state in changes[start:end])


def test_the_backlog_of_a_limited_account_stands_before_nobody(deployment: Deployment) -> None:
    deployment.accept(*(job("limited", number) for number in range(2_000)))
    within(lambda: deployment.count("limited", "accepted") == 10, "the limit used up")
    assert calls_before(deployment, "limited", "behind-limited") == 0
    assert deployment.count("limited", "accepted") == 10
    assert in_celery(deployment) == 0


def test_the_backlog_of_a_closed_account_stands_before_nobody(deployment: Deployment) -> None:
    key = deployment.key_at_provider("refusing")
    deployment.simulator.control(account=key, fault="status:429", retry_after="3600")
    deployment.accept(*(job("refusing", number) for number in range(500)))
    within(lambda: deployment.redis.hexists("invitations:gate:refusing", "closed_until"), "a closed gate")
    assert calls_before(deployment, "refusing", "behind-refusing") == 0
    within(lambda: deployment.count("refusing", "queued") == 500, "all of them back in line")
    assert deployment.stats("refusing")["calls"] <= 10
    assert in_celery(deployment) == 0


def test_the_backlog_of_a_slow_provider_stands_before_nobody(deployment: Deployment) -> None:
    deployment.simulator.control(account=deployment.key_at_provider("slow"), latency_ms=20_000)
    deployment.accept(*(job("slow", number) for number in range(100)))
    within(lambda: deployment.count("slow", "delivering") == 10, "ten calls at once")
    assert calls_before(deployment, "slow", "behind-slow") == 0
    assert deployment.count("slow", "delivering") == 10


def test_a_delay_that_the_provider_cannot_schedule_is_waited_out_in_the_line(deployment: Deployment) -> None:
    waiting = job("portal", "later", delay={"amount": 2, "unit": "seconds"})
    record = deployment.record(deployment.accept(waiting)[0].id)
    assert record.due_at == record.created_at + 2000
    while deployment.redis.time()[0] * 1000 < record.created_at + 1000:
        assert deployment.redis.zscore("invitations:line:portal", record.id) == record.due_at
        sleep(0.05)
    delivered = deployment.wait_for(record.id, "accepted")
    begun = next(change.at for change in delivered.history if change.state == "delivering")
    assert begun >= record.due_at
    assert len(deployment.calls(waiting)) == 1


@pytest.mark.parametrize(
    ("account", "delay", "days"),
    [("portal", {"amount": 5, "unit": "days"}, 5), ("shop_nl", {"amount": 48, "unit": "hours"}, 2)],
)
def test_days_that_are_not_the_providers_are_waited_out_here_too(
    deployment: Deployment, account: str, delay: dict[str, object], days: int
) -> None:
    waiting = job(account, f"days-{account}", delay=delay)
    record = deployment.record(deployment.accept(waiting)[0].id)
    assert record.due_at == record.created_at + days * DAY_MS
    deployment.wait_for(deployment.accept(job(account, f"past-{account}"))[0].id, "accepted")
    assert (deployment.state(record.id), deployment.calls(waiting)) == ("queued", [])
    assert in_celery(deployment) == 0


def test_days_are_handed_to_webwinkelkeur(deployment: Deployment) -> None:
    handed = job("shop_nl", "handed", delay={"amount": 5, "unit": "days"})
    record = deployment.wait_for(deployment.accept(handed)[0].id, "accepted")
    assert record.accepted_at is not None
    assert record.sends_at is not None
    assert abs(record.sends_at - record.accepted_at - 5 * DAY_MS) < 2 * 3_600_000
    listed = requests.get(
        f"{deployment.simulator.url}/api/1.0/invitations.json",
        params={"id": "1", "code": "code-of-shop-nl"},
        timeout=10,
    ).json()["invitations"]
    assert [row["delay"] for row in listed if row["order"] == handed["order"]] == [5]
