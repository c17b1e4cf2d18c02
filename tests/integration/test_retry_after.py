"""Two worker processes share one limit: what they do where it is configured, not, too low, or too high.

How much of it they use: tests/gate.
"""

from time import monotonic, sleep
from typing import Any

import pytest

from ops.simulator import SimulatorOptions
from tests.integration.deployment import Deployment, job

COUNT = 80
PER_SECOND = 20
IDEAL_SECONDS = COUNT / PER_SECOND
# The simulator rounds up to whole seconds, and closes for a part of one.
RETRY_AFTER_MS = 1000
LIMITS = {"unknown": None, "half": "10/second", "right": "20/second", "double": "40/second"}


@pytest.fixture(scope="module")
def simulator_options() -> SimulatorOptions:
    return SimulatorOptions(port=0, limit=f"{PER_SECOND}/second")


@pytest.fixture(scope="module")
def seconds(deployment: Deployment) -> dict[str, float]:
    """How long each account took for its hundred invitations, all accounts at once."""
    for number, (name, limit) in enumerate(LIMITS.items(), start=100):
        configured = {"limit": limit} if limit else {}
        deployment.add_account(name, provider="webwinkelkeur", shop_id=number, code="code", **configured)
    deployment.start_workers(2)
    deployment.accept(*(job(name, number) for name in LIMITS for number in range(COUNT)))
    began, took = monotonic(), dict[str, float]()
    while len(took) < len(LIMITS) and monotonic() - began < 6 * IDEAL_SECONDS:
        for name in LIMITS.keys() - took.keys():
            if deployment.count(name, "accepted") == COUNT:
                took[name] = monotonic() - began
        sleep(0.02)
    return took


@pytest.mark.parametrize("account", LIMITS)
def test_every_invitation_is_accepted_and_being_throttled_costs_no_attempt(
    deployment: Deployment, seconds: dict[str, float], account: str
) -> None:
    assert account in seconds
    records = deployment.records.many(list(deployment.records.ids(account, "accepted")))
    stats = deployment.stats(account)
    assert sum(record.attempts for record in records) == 0
    assert sum(record.throttled for record in records) == stats["rejected_by_limit"]
    assert (stats["accepted"], stats["duplicates"]) == (COUNT, 0)
    assert stats["calls"] == COUNT + stats["rejected_by_limit"]


@pytest.mark.usefixtures("seconds")
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


@pytest.mark.usefixtures("seconds")
@pytest.mark.parametrize("account", LIMITS)
def test_what_the_provider_sees_inside_the_closed_time_was_on_its_way_already(
    deployment: Deployment, account: str
) -> None:
    key = deployment.key_at_provider(account)
    calls: list[dict[str, Any]] = deployment.simulator.calls()
    ages = [call["retry_after_age_ms"] for call in calls if call["account"] == key]
    inside = [age for age in ages if age is not None]
    assert len(inside) <= deployment.stats(account)["rejected_by_limit"]
    assert [age for age in inside if age > 250] == []


# Ten calls may be under way when the first refusal comes; how few there are where nothing disturbs: tests/gate.
@pytest.mark.parametrize(("account", "most"), [("half", 0), ("right", 0), ("unknown", 12), ("double", 12)])
@pytest.mark.usefixtures("seconds")
def test_there_are_no_refusals_or_a_few_to_learn_from(deployment: Deployment, account: str, most: int) -> None:
    assert deployment.stats(account)["rejected_by_limit"] <= most
