"""Workers that die or are asked to end: nothing is lost, nothing is sent twice by our own will."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.deployment import Deployment, job, within
from tests.integration.processes import celery

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


def test_what_a_dead_reader_of_the_inbox_left_is_read_by_another(deployment: Deployment) -> None:
    redis = deployment.redis
    redis.delete("invitations:inbox")
    redis.xgroup_create("invitations:inbox", "workers", id="0", mkstream=True)
    left = [job("portal", "left-1"), {"account": "portal", "email": "no address"}, job("portal", "left-2")]
    entries: list[Any] = [redis.xadd("invitations:inbox", {"job": json.dumps(one)}) for one in left]
    redis.xreadgroup("workers", "dead", {"invitations:inbox": ">"}, count=2)
    refused = deployment.count("portal", "refused")

    def is_read_while_the_reader_lives() -> bool:
        redis.xclaim("invitations:inbox", "workers", "dead", 0, entries[:2], justid=True)
        return deployment.calls(left[2]) != []

    deployment.start("worker", celery("worker", "--without-mingle"))
    within(is_read_while_the_reader_lives, "a call about the entry that nobody had read", seconds=60)
    assert deployment.calls(left[0]) == []
    within(lambda: deployment.calls(left[0]) != [], "a call about the entry that the dead reader had")
    within(lambda: redis.xlen("invitations:inbox") == 0, "an empty inbox")
    assert redis.xpending("invitations:inbox", "workers")["pending"] == 0
    assert deployment.count("portal", "refused") == refused + 1
    assert [len(deployment.calls(one)) for one in left] == [1, 0, 1]
