"""The primary dies or falls silent under load, and real sentinels take its replica for the primary."""

import json
from collections.abc import Iterator

import pytest
from redis import Redis

from config.settings import load_settings
from ops.simulator import RunningSimulator, SimulatorOptions
from tests.integration.deployment import Deployment, job, within
from tests.resilience.conftest import LEASE_SECONDS, TIMEOUT_SECONDS
from tests.resilience.report import Row
from tests.resilience.sentinels import Sentinels, freeze, thaw
from tests.resilience.storm import ACCOUNTS, Storm, check_unharmed
from tests.support import wait_until
from worker.connection import connect

CONCURRENCY, LATENCY_MS = 5, 30
BACK_SECONDS = 60
DUE = "Sending due task"


@pytest.fixture
def sentinels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sentinels]:
    running = Sentinels(tmp_path_factory.mktemp("sentinels"), {"appendonly": "yes"})
    yield running
    running.stop()


@pytest.fixture
def deployment(sentinels: Sentinels, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with RunningSimulator(SimulatorOptions(port=0, latency_ms=LATENCY_MS)) as simulator:
        running = Deployment(sentinels.url, simulator, tmp_path_factory.mktemp("deployment"))
        running.variables |= {"LEASE_SECONDS": str(LEASE_SECONDS), "RETRIEVE_SECONDS": "1"}
        running.add_account("late", provider="wemasy", token="token-of-late")
        for name, fields in list(running.accounts.items()):
            running.add_account(name, **{**fields, "timeout": TIMEOUT_SECONDS})
        yield running
        running.close()


@pytest.mark.timeout(300)
def test_a_failover_under_load(deployment: Deployment, sentinels: Sentinels, storm: Storm, rows: list[Row]) -> None:
    # The claim and the answer of a call can both be among the last writes, which the replica did not get.
    storm.ends = ("accepted", "sent", "duplicate")
    failovers = 1 if storm.size < 1000 else 4
    workers, beat = deployment.start_workers(2, CONCURRENCY=str(CONCURRENCY)), deployment.start_beat()
    beat.wait_for("Acquired lock")
    storm.begin()
    deployment.redis.wait(1, 5000)
    assert sentinels.strangers() == []
    for number in range(failovers):
        storm.wait_for((number + 1) * 0.8 / failovers)
        old = sentinels.primary
        # How far a replica lags is Redis's affair; test_redis_forgets.py counts what is lost with it.
        wait_until(sentinels.has_replica, seconds=BACK_SECONDS, what="a replica")
        if number % 2:
            freeze(old)
        else:
            old.terminate()
        storm.hit()
        sentinels.fail_over_from(old)
        storm.healed()
        if number % 2:
            # For some seconds it takes itself for the primary still; what anyone writes to it is lost.
            thaw(old)
        elif number + 1 < failovers:
            old.start()
    started = beat.text.count(DUE)
    deployment.accept(job("late", 1))
    deployment.redis.xadd("invitations:inbox", {"job": json.dumps(job("late", 2))})
    within(lambda: deployment.count("late", "accepted") == 2, "what came late delivered", 60)
    within(lambda: beat.text.count(DUE) > started, "beat at work", 60)
    row = storm.end("Sentinel failover")
    rows.append(row)
    check_unharmed(*workers)
    assert beat.alive
    assert row.lost == 0
    # A share of what two workers deliver in the second in which they have not asked the sentinels yet.
    assert row.repeated <= failovers * 60
    assert sum(deployment.count(account, "duplicate") for account in ACCOUNTS) <= row.repeated
    # No customer is invited twice.
    assert sum(deployment.stats(account)["accepted"] for account in ACCOUNTS) == storm.size


def test_a_command_that_meets_a_silent_primary_goes_to_the_next(sentinels: Sentinels) -> None:
    old = sentinels.primary
    with connect(load_settings(redis_url=sentinels.url)) as client:
        client.ping()
        freeze(old)

        assert client.set("written", "after it fell silent")

        assert sentinels.primary is not old
        with Redis(port=sentinels.primary.port, decode_responses=True) as promoted:
            assert promoted.get("written") == "after it fell silent"
