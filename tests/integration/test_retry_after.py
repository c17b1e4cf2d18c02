"""Two worker processes share one limit: what they do where it is configured, not, too low, or too high.

How much of it they use: tests/gate.
"""

from collections import defaultdict
from typing import Any

import pytest

from ops.simulator import SimulatorOptions
from tests.integration.deployment import Deployment, Job, job, within

COUNT = 80
PER_SECOND = 20
# Calls at once that an account is given unless configured otherwise.
AT_ONCE = 10
# The simulator rounds up to whole seconds, and closes for a part of one.
RETRY_AFTER_MS = 1000
LIMITS = {"unknown": None, "half": "10/second", "right": "20/second", "double": "40/second"}


@pytest.fixture(scope="module")
def simulator_options() -> SimulatorOptions:
    return SimulatorOptions(port=0, limit=f"{PER_SECOND}/second")


@pytest.fixture(scope="module")
def delivered(deployment: Deployment) -> dict[str, list[str]]:
    """Eighty invitations of each account, all accounts at once, until the last is accepted."""
    for number, (name, limit) in enumerate(LIMITS.items(), start=100):
        configured = {"limit": limit} if limit else {}
        deployment.add_account(name, provider="webwinkelkeur", shop_id=number, code="code", **configured)
    deployment.start_workers(2)
    ids = {name: [receipt.id for receipt in deployment.accept(*jobs_of(name))] for name in LIMITS}
    within(lambda: all(deployment.count(name, "accepted") == COUNT for name in LIMITS), "all accepted", seconds=90)
    return ids


def jobs_of(account: str) -> list[Job]:
    return [job(account, number) for number in range(COUNT)]


@pytest.mark.parametrize("account", LIMITS)
def test_every_invitation_is_accepted_and_being_throttled_costs_no_attempt(
    deployment: Deployment, delivered: dict[str, list[str]], account: str
) -> None:
    records = deployment.records.many(delivered[account])
    stats = deployment.stats(account)
    assert sum(record.attempts for record in records) == 0
    assert sum(record.throttled for record in records) == stats["rejected_by_limit"]
    assert (stats["accepted"], stats["duplicates"]) == (COUNT, 0)
    assert stats["calls"] == COUNT + stats["rejected_by_limit"]


@pytest.mark.usefixtures("delivered")
@pytest.mark.parametrize("account", LIMITS)
def test_no_worker_begins_a_call_before_the_asked_time_is_over(deployment: Deployment, account: str) -> None:
    entries: Any = deployment.redis.xrange("invitations:events")
    closed_until, begun_while_closed = 0, 0
    for _, event in entries:
        if event["account"] != account:
            continue
        if event["state"] == "queued" and "429" in event["reason"]:
            closed_until = int(event["at"]) + RETRY_AFTER_MS
        if event["state"] == "delivering" and int(event["at"]) < closed_until:
            begun_while_closed += 1
    assert begun_while_closed == 0


@pytest.mark.parametrize("account", LIMITS)
def test_what_the_provider_sees_inside_the_closed_time_was_on_its_way_already(
    deployment: Deployment, delivered: dict[str, list[str]], account: str
) -> None:
    entries: Any = deployment.redis.xrange("invitations:events")
    claims = defaultdict[str, list[int]](list)
    closings = [
        int(event["at"])
        for _, event in entries
        if event["account"] == account and event["state"] == "queued" and "429" in event["reason"]
    ]
    for _, event in entries:
        if event["state"] == "delivering":
            claims[event["id"]].append(int(event["at"]))
    inside = []
    for one, calls in zip(delivered[account], deployment.calls_of(jobs_of(account)), strict=True):
        for claimed_at, call in zip(claims[one], calls, strict=True):
            if call["inside_retry_after"]:
                refused_at = call["at_ms"] - call["retry_after_age_ms"]
                inside.append(claimed_at <= min(at for at in closings if at >= refused_at - 1))
    assert len(inside) <= (AT_ONCE - 1) * deployment.stats(account)["rejected_by_limit"]
    assert all(inside)


@pytest.mark.parametrize(("account", "most"), [("half", 10), ("right", 20)])
def test_no_second_holds_more_calls_than_are_configured(
    deployment: Deployment, delivered: dict[str, list[str]], account: str, most: int
) -> None:
    records = deployment.records.many(delivered[account])
    begun = sorted(change.at for record in records for change in record.history if change.state == "delivering")
    assert [
        later - earlier for earlier, later in zip(begun, begun[most:], strict=False) if later - earlier <= 1000
    ] == []


# Ten calls may be under way when the first refusal comes, and a busy machine may bunch on their way what was paced
# rightly; how few refusals there are where nothing disturbs: tests/gate.
@pytest.mark.parametrize(("account", "most"), [("half", 0), ("right", 12), ("unknown", 12), ("double", 12)])
@pytest.mark.usefixtures("delivered")
def test_there_are_no_refusals_or_a_few_to_learn_from(deployment: Deployment, account: str, most: int) -> None:
    assert deployment.stats(account)["rejected_by_limit"] <= most
