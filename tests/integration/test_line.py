"""Accounts do not stand in each other's way, and what waits sits in the line and nowhere else."""

from time import monotonic, sleep

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


def seconds_to_deliver(deployment: Deployment, account: str, number: str) -> float:
    began = monotonic()
    deployment.wait_for(deployment.accept(job(account, number))[0].id, "accepted")
    return monotonic() - began


def test_the_backlog_of_a_limited_account_stands_before_nobody(deployment: Deployment) -> None:
    deployment.accept(*(job("limited", number) for number in range(2_000)))
    within(lambda: deployment.count("limited", "accepted") == 10, "the limit used up")
    assert seconds_to_deliver(deployment, "free", "behind-limited") < 1
    assert deployment.count("limited", "accepted") == 10
    assert in_celery(deployment) == 0


def test_the_backlog_of_a_closed_account_stands_before_nobody(deployment: Deployment) -> None:
    key = deployment.key_at_provider("refusing")
    deployment.simulator.control(account=key, fault="status:429", retry_after="3600")
    deployment.accept(*(job("refusing", number) for number in range(500)))
    within(lambda: deployment.redis.hexists("invitations:gate:refusing", "closed_until"), "a closed gate")
    assert seconds_to_deliver(deployment, "free", "behind-refusing") < 1
    within(lambda: deployment.count("refusing", "queued") == 500, "all of them back in line")
    assert deployment.stats("refusing")["calls"] <= 10
    assert in_celery(deployment) == 0


def test_the_backlog_of_a_slow_provider_stands_before_nobody(deployment: Deployment) -> None:
    deployment.simulator.control(account=deployment.key_at_provider("slow"), latency_ms=2000)
    deployment.accept(*(job("slow", number) for number in range(100)))
    within(lambda: deployment.count("slow", "delivering") == 10, "ten calls at once")
    assert seconds_to_deliver(deployment, "free", "behind-slow") < 1
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
    assert 0 <= begun - record.due_at < 500
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
    assert seconds_to_deliver(deployment, account, f"past-{account}") < 1
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
