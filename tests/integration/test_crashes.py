"""Workers that die or are asked to end: nothing is lost, nothing is sent twice by our own will."""

import json
import signal
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.integration.deployment import Deployment, job, within

LEASE_SECONDS = 3


@pytest.fixture(autouse=True)
def _deployment(deployment: Deployment) -> Iterator[None]:
    """A call may last two seconds; the lease is longer."""
    deployment.variables |= {"LEASE_SECONDS": str(LEASE_SECONDS), "CONCURRENCY": "5"}
    for name, fields in list(deployment.accounts.items()):
        deployment.add_account(name, **{**fields, "timeout": 2})
    yield
    deployment.stop_all()


def test_what_a_killed_worker_was_calling_for_is_finished_by_another(deployment: Deployment) -> None:
    jobs = [job(account, "killed") for account in ("shop_nl", "portal", "reviews")]
    deployment.simulator.control(latency_ms=0)
    warm = deployment.start_worker()
    deployment.wait_for(deployment.accept(job("reviews", "token"))[0].id, "accepted")
    # Most of the two seconds that a call may last; WebwinkelKeur is asked for its list in them too.
    deployment.simulator.control(latency_ms=1500)
    deployment.simulator.control(account=deployment.key_at_provider("shop_nl"), latency_ms=900)
    ids = [receipt.id for receipt in deployment.accept(*jobs)]
    within(lambda: all(deployment.calls(one) for one in jobs), "calls under way")
    warm.kill()
    assert [deployment.state(one) for one in ids] == ["delivering"] * 3
    other = deployment.start_worker()
    records = [deployment.wait_for(one, "accepted", "duplicate", "failed") for one in ids]
    assert [record.state for record in records] == ["accepted"] * 3
    assert [record.attempts for record in records] == [1, 1, 1]
    for one in ids:
        assert deployment.events(one) == ["queued", "delivering", "queued", "delivering", "accepted"]
    # WebwinkelKeur's list told that it had the invitation; the two others had to be asked again.
    assert [len(deployment.calls(one)) for one in jobs] == [1, 2, 2]
    assert [deployment.stats(one["account"])["duplicates"] for one in jobs] == [0, 1, 1]
    assert other.stop() == 0


def test_a_worker_that_is_asked_to_end_ends_its_calls_and_leaves_the_rest(deployment: Deployment) -> None:
    deployment.add_account("leaving", provider="wemasy", token="token-of-leaving", timeout=2)
    deployment.simulator.control(latency_ms=1500)
    first = deployment.start_worker()
    jobs = [job("leaving", number) for number in range(30)]
    deployment.accept(*jobs)
    within(lambda: deployment.stats("leaving").get("calls", 0) >= 5, "five calls under way")
    assert first.stop() == 0
    called = deployment.stats("leaving")["calls"]
    assert 5 <= called <= 15
    assert deployment.count("leaving", "accepted") == called
    assert states(deployment, "leaving") == {"accepted": called, "queued": 30 - called}
    deployment.simulator.control(latency_ms=0)
    second = deployment.start_worker()
    within(lambda: deployment.count("leaving", "accepted") == 30, "the rest delivered")
    assert (deployment.stats("leaving")["calls"], deployment.stats("leaving")["duplicates"]) == (30, 0)
    assert second.stop() == 0
    assert "Traceback" not in first.text + second.text


def test_what_a_dead_reader_of_the_inbox_left_is_read_by_another(deployment: Deployment) -> None:
    redis = deployment.redis
    redis.delete("invitations:inbox")
    redis.xgroup_create("invitations:inbox", "workers", id="0", mkstream=True)
    left = [job("portal", "left-1"), {"account": "portal", "email": "no address"}, job("portal", "left-2")]
    for one in left:
        redis.xadd("invitations:inbox", {"job": json.dumps(one)})
    redis.xreadgroup("workers", "dead", {"invitations:inbox": ">"}, count=2)
    refused = deployment.count("portal", "refused")
    deployment.start_worker()
    within(lambda: deployment.calls(left[2]) != [], "a call about the entry that nobody had read", seconds=2)
    assert deployment.calls(left[0]) == []
    within(lambda: deployment.calls(left[0]) != [], "a call about the entry that the dead reader had")
    within(lambda: redis.xlen("invitations:inbox") == 0, "an empty inbox")
    assert redis.xpending("invitations:inbox", "workers")["pending"] == 0
    assert deployment.count("portal", "refused") == refused + 1
    assert [len(deployment.calls(one)) for one in left] == [1, 0, 1]


def test_of_two_workers_under_load_one_is_killed_and_nothing_is_lost(deployment: Deployment) -> None:
    deployment.add_account("loaded", provider="wemasy", token="token-of-loaded", timeout=2, limit="100/second")
    deployment.simulator.control(latency_ms=50)
    first, second = deployment.start_workers(2)
    jobs = [job("loaded", number) for number in range(200)]
    ids = [receipt.id for receipt in deployment.accept(*jobs)]
    within(lambda: deployment.count("loaded", "accepted") >= 50, "fifty delivered")
    first.kill()
    within(lambda: deployment.count("loaded", "accepted") == 200, "all delivered")
    records = deployment.records.many(ids)
    again = sum(record.attempts for record in records)
    stats = deployment.stats("loaded")
    assert again <= 5
    assert (stats["accepted"], stats["calls"]) == (200, 200 + stats["duplicates"])
    assert stats["duplicates"] <= again
    second.signal(signal.SIGTERM)
    assert second.end() == 0


def states(deployment: Deployment, account: str) -> Counter[str]:
    """How many invitations are in each state, by their records."""
    accounts = Counter[str]()
    for key in deployment.redis.scan_iter("invitations:record:*", count=1000):
        named, state = deployment.redis.hmget(key, "account", "state")
        if named == account:
            accounts[str(state)] += 1
    return accounts
