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


@pytest.fixture(scope="module")
def went_through_an_outage(deployment: Deployment) -> dict[str, tuple[list[str], int]]:
    """The invitations of each account, and what it had accepted before: all at once, for each takes its time."""
    before = {account: deployment.stats(account)["accepted"] for account in ACCOUNTS}
    for account in ACCOUNTS:
        set_fault(deployment, account, "status:502")
    ids = {account: line_up(deployment, account, "outage") for account in ACCOUNTS}
    gates = [f"invitations:gate:{account}" for account in ACCOUNTS]
    within(lambda: all(deployment.redis.hexists(gate, "probing") for gate in gates), "the outages seen")
    within(lambda: all(deployment.count(account, "queued") == MANY for account in ACCOUNTS), "all of them back in line")
    for account in ACCOUNTS:
        set_fault(deployment, account, None)
    return {account: (ids[account], before[account]) for account in ACCOUNTS}


@pytest.mark.parametrize("account", ACCOUNTS)
def test_an_outage_costs_what_was_in_flight_an_attempt_and_no_invitation(
    deployment: Deployment, went_through_an_outage: dict[str, tuple[list[str], int]], account: str
) -> None:
    ids, before = went_through_an_outage[account]

    within(lambda: is_done(deployment, ids), "all of them accepted", seconds=60)
    assert DOWN_AFTER <= attempts(deployment, ids) <= MOST_FAILED
    assert deployment.stats(account)["accepted"] - before == MANY
