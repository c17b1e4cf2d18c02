"""A provider that is down, or refuses the credentials, before real workers: the invitations wait and lose nothing."""

import pytest

from tasks.decision import DOWN_AFTER, REFUSED_AFTER
from tests.integration.deployment import Deployment, job, within
from worker.ledger import Ledger

MANY = 60
AT_ONCE = 10
# Those that are seen one after the other, and what runs beside the last of them.
MOST_REFUSED = REFUSED_AFTER - 1 + AT_ONCE
MOST_FAILED = DOWN_AFTER - 1 + AT_ONCE
ACCOUNTS = ("shop_nl", "portal", "reviews")


@pytest.fixture(scope="module", autouse=True)
def _workers(deployment: Deployment) -> None:
    deployment.start_workers(2)


def set_fault(deployment: Deployment, account: str, fault: str | None) -> None:
    """Every call of the account goes so from now on."""
    deployment.simulator.control(account=deployment.key_at_provider(account), fault=fault)


def line_up(deployment: Deployment, account: str, batch: str) -> list[str]:
    receipts = deployment.accept(*(job(account, f"{batch}-{number}") for number in range(MANY)))
    return [receipt.id for receipt in receipts]


def attempts(deployment: Deployment, ids: list[str]) -> int:
    return sum(record.attempts for record in deployment.records.many(ids))


def is_done(deployment: Deployment, ids: list[str]) -> bool:
    return {record.state for record in deployment.records.many(ids)} <= {"accepted", "sent"}


@pytest.mark.parametrize("account", ACCOUNTS)
def test_refused_credentials_cost_a_few_calls_and_no_attempt(deployment: Deployment, account: str) -> None:
    set_fault(deployment, account, "credentials")
    ids = line_up(deployment, account, "refused")
    paused = f"invitations:pause:{account}"
    within(lambda: bool(deployment.redis.exists(paused)), "the account paused")
    within(lambda: deployment.count(account, "queued") == MANY, "all of them back in line")

    # Before each call for an invitation there may be one for an access token.
    assert REFUSED_AFTER <= deployment.stats(account)["calls"] <= 2 * MOST_REFUSED
    assert attempts(deployment, ids) == 0

    set_fault(deployment, account, None)
    assert Ledger(deployment.redis).resume(account) is True

    within(lambda: is_done(deployment, ids), "all of them accepted")
    assert attempts(deployment, ids) == 0


@pytest.mark.parametrize("account", ACCOUNTS)
def test_an_outage_costs_what_was_in_flight_an_attempt_and_no_invitation(deployment: Deployment, account: str) -> None:
    before = deployment.stats(account)["accepted"]
    set_fault(deployment, account, "status:502")
    ids = line_up(deployment, account, "outage")
    gate = f"invitations:gate:{account}"
    within(lambda: bool(deployment.redis.hexists(gate, "probing")), "the outage seen")
    within(lambda: deployment.count(account, "queued") == MANY, "all of them back in line")

    set_fault(deployment, account, None)

    within(lambda: is_done(deployment, ids), "all of them accepted", seconds=60)
    assert DOWN_AFTER <= attempts(deployment, ids) <= MOST_FAILED
    assert deployment.stats(account)["accepted"] - before == MANY
