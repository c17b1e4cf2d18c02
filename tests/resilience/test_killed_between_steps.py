"""A process is killed exactly between two steps that belong together: another takes over from there."""

from collections.abc import Callable

import pytest

from tests.integration.deployment import Deployment, Job, within
from tests.resilience.bootstrap import faulty_worker
from tests.resilience.report import Row
from tests.resilience.storm import Storm, by_celery, by_inbox, restore_unacknowledged

ACCOUNT = "portal"
KILLED = -9


def by_ledger(deployment: Deployment, jobs: list[Job]) -> None:
    deployment.accept(*jobs)


# What was taken counts as an attempt, for nobody knows whether it was called.
STEPS = {
    "after_take": (by_ledger, 1, 0),
    "before_call": (by_ledger, 1, 0),
    "before_settle": (by_ledger, 1, 1),
    "before_accept": (by_inbox, 0, 0),
    "before_acknowledge": (by_inbox, 0, 0),
}


@pytest.fixture
def storm(deployment: Deployment, is_long: bool) -> Storm:
    """Of one account that cannot be asked for its list, under leases of two seconds."""
    deployment.variables |= {"LEASE_SECONDS": "2"}
    deployment.accounts.clear()
    deployment.add_account(ACCOUNT, provider="wemasy", token="token-of-portal", timeout=1)
    return Storm(deployment, 200 if is_long else 20, (ACCOUNT,))


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_is_killed(deployment: Deployment, storm: Storm, rows: list[Row], step: str) -> None:
    enqueue, attempts, repeated = STEPS[step]
    kill_one(deployment, storm, step, enqueue)
    deployment.start_worker()
    storm.healed()
    within(lambda: storm.delivered == storm.size, "all delivered")
    receipts = deployment.accept(*storm.jobs)
    assert [receipt.created for receipt in receipts] == [False] * storm.size
    storm.took([receipt.id for receipt in receipts])
    row = storm.end("worker killed between two steps")
    rows.append(row)
    assert (row.lost, row.repeated, storm.attempts) == (0, repeated, attempts)
    assert deployment.stats(ACCOUNT).get("duplicates", 0) == repeated


@pytest.mark.parametrize("step", ["after_messages", "before_accept"])
def test_a_worker_is_killed_over_a_celery_message(
    deployment: Deployment, storm: Storm, rows: list[Row], step: str
) -> None:
    kill_one(deployment, storm, step, by_celery)
    restore_unacknowledged(deployment)
    deployment.start_worker()
    storm.healed()
    within(lambda: storm.delivered == storm.size, "all delivered")
    storm.took([receipt.id for receipt in deployment.accept(*storm.jobs)])
    row = storm.end("worker killed between two steps")
    rows.append(row)
    assert (row.lost, row.repeated, storm.attempts) == (0, 0, 0)


def kill_one(deployment: Deployment, storm: Storm, step: str, enqueue: Callable[[Deployment, list[Job]], None]) -> None:
    """A worker with one thread, which takes the jobs until it dies of its own at that step."""
    dying = deployment.start("dying", faulty_worker(step, step), CONCURRENCY="1")
    dying.wait_for(" ready.")
    enqueue(deployment, storm.jobs)
    assert dying.end() == KILLED
    storm.hit()
