"""Workers that are asked to end (SIGTERM): what runs ends, nothing new starts, and nobody notices."""

import signal

import pytest

from tests.integration.deployment import Deployment, within
from tests.resilience.bootstrap import faulty, faulty_worker
from tests.resilience.report import Row
from tests.resilience.storm import Storm
from tests.support import Stopwatch

ACCOUNT = "portal"
THREADS = 3
LATENCY_SECONDS = 3


@pytest.fixture
def slow(deployment: Deployment) -> Storm:
    """Calls of three seconds, of one account whose timeout leaves them time."""
    deployment.variables |= {"LEASE_SECONDS": "12", "CONCURRENCY": str(THREADS)}
    deployment.accounts.clear()
    deployment.add_account(ACCOUNT, provider="wemasy", token="token-of-portal", timeout=10)
    deployment.simulator.control(latency_ms=LATENCY_SECONDS * 1000)
    return Storm(deployment, 30, (ACCOUNT,))


def in_flight(deployment: Deployment) -> int:
    return int(deployment.redis.zcard(f"invitations:inflight:{ACCOUNT}"))


def test_running_calls_end_and_nothing_new_starts(deployment: Deployment, slow: Storm, rows: list[Row]) -> None:
    first = deployment.start_worker()
    slow.begin()
    within(lambda: deployment.stats(ACCOUNT).get("calls", 0) >= THREADS, "a call in every thread")
    with Stopwatch() as watch:
        first.signal(signal.SIGTERM)
        slow.hit()
        assert first.end() == 0
    assert watch.seconds < LATENCY_SECONDS + 10
    assert deployment.stats(ACCOUNT)["calls"] == slow.delivered <= 2 * THREADS
    # Whoever comes next needs not wait for a lease.
    assert in_flight(deployment) == 0
    deployment.simulator.control(latency_ms=0)
    deployment.start_worker()
    slow.healed()
    row = slow.end("worker stopped (SIGTERM)")
    rows.append(row)
    assert (row.lost, row.repeated, slow.attempts) == (0, 0, 0)
    assert "Traceback" not in first.text


def test_an_invitation_that_was_claimed_and_not_begun_is_left_to_another(deployment: Deployment, slow: Storm) -> None:
    worker = deployment.start("stopped", faulty_worker("stop_before_call", "stopped"), CONCURRENCY="1")
    worker.wait_for(" ready.")
    slow.begin()
    assert worker.end() == 0
    assert deployment.stats(ACCOUNT).get("calls", 0) == 0
    assert in_flight(deployment) == 0
    assert deployment.count(ACCOUNT, "queued") == slow.size
    assert slow.attempts == 0


def test_a_grace_period_shorter_than_the_calls_costs_an_attempt_and_loses_nothing(
    deployment: Deployment, slow: Storm, rows: list[Row]
) -> None:
    deployment.variables |= {"LEASE_SECONDS": "5"}
    deployment.add_account(ACCOUNT, provider="wemasy", token="token-of-portal", timeout=4)
    first = deployment.start_worker()
    slow.begin()
    within(lambda: deployment.stats(ACCOUNT).get("calls", 0) >= THREADS, "a call in every thread")
    first.signal(signal.SIGTERM)
    first.wait_for("Warm shutdown")
    first.kill()
    slow.hit()
    deployment.simulator.control(latency_ms=0)
    deployment.start_worker(CONCURRENCY="20")
    slow.healed()
    row = slow.end("worker killed while it ended")
    rows.append(row)
    assert (row.lost, row.repeated, slow.attempts) == (0, THREADS, THREADS)


def test_workers_are_replaced_one_after_another_under_load(
    deployment: Deployment, storm: Storm, rows: list[Row], is_long: bool
) -> None:
    deployment.simulator.control(latency_ms=50)
    rounds = 4 if is_long else 1
    workers = deployment.start_workers(2, CONCURRENCY="3")
    storm.begin()
    for number in range(rounds * len(workers)):
        storm.wait_for(0.9 * number / (rounds * len(workers)))
        workers += deployment.start_workers(1, CONCURRENCY="3")
        old = workers.pop(0)
        assert old.stop() == 0
        assert "Traceback" not in old.text
        storm.hit()
        storm.healed()
    row = storm.end("rolling restart")
    rows.append(row)
    assert (row.lost, row.repeated, storm.attempts) == (0, 0, 0)


def test_beat_that_is_stopped_while_it_starts_ends_as_it_should(deployment: Deployment) -> None:
    beat = deployment.start("beat", faulty("stop_in_import", "beat"))
    assert beat.end() == 0
    assert "Traceback" not in beat.text
