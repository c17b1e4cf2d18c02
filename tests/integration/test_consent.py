"""Accounts that require consent: nobody is invited before the provider said that the customer agreed."""

from typing import Any

import pytest

from tasks.delivery import NO_ORDER_TO_ASK
from tests.integration.deployment import Deployment, Job, job, within
from worker.entries import Entry
from worker.ledger import Ledger

NARROW = "1/2s"
# Accounts whose provider does not answer the first question plainly: how, and the failures and refusals that count.
UNPLAIN: dict[str, tuple[dict[str, str], tuple[int, int]]] = {
    "silence": ({"fault": "hang"}, (1, 0)),
    "throttled": ({"fault": "status:429", "retry_after": "1"}, (0, 1)),
    "refused": ({"fault": "credentials"}, (0, 0)),
}


@pytest.fixture(scope="module", autouse=True)
def _worker(deployment: Deployment) -> None:
    shop: dict[str, Any] = {"provider": "webwinkelkeur", "code": "c", "consent": "required"}
    deployment.add_account("asks", shop_id=2, timeout=2, **shop)
    deployment.add_account("narrow", shop_id=3, limit=NARROW, **shop)
    deployment.add_account("brand", shop_id=4, **{**shop, "provider": "trustprofile"})
    for number, name in enumerate(UNPLAIN, start=5):
        deployment.add_account(name, shop_id=number, timeout=2, **shop)
    # Two calls at once are seen, and two that a busy machine brings nearer to each other on their way are not.
    deployment.simulator.control(account=deployment.key_at_provider("narrow"), limit="1/second")
    deployment.start_worker()


def kinds(deployment: Deployment, account: str, *, since: int = 0) -> list[object]:
    """The calls of an account, in order, without the first `since`."""
    key = deployment.key_at_provider(account)
    return [call["kind"] for call in deployment.simulator.calls() if call["account"] == key][since:]


def test_who_agreed_is_invited_after_the_question(deployment: Deployment) -> None:
    receipt = deployment.accept(job("brand", "agreed"))[0]

    record = deployment.wait_for(receipt.id, "accepted")

    assert (record.attempts, kinds(deployment, "brand")) == (0, ["consent", "create"])


def test_who_did_not_agree_is_never_invited(deployment: Deployment) -> None:
    before = len(kinds(deployment, "asks"))
    refused: Job = {**job("asks", "x"), "order": "without-consent-1"}
    receipt = deployment.accept(refused)[0]

    record = deployment.wait_for(receipt.id, "suppressed", "accepted", "failed")

    assert (record.state, record.attempts) == ("suppressed", 0)
    assert record.reason == "the customer did not agree to be invited, says the provider: this account requires consent"
    assert kinds(deployment, "asks", since=before) == ["consent"]
    assert deployment.events(receipt.id) == ["queued", "delivering", "suppressed"]
    assert deployment.count("asks", "suppressed") == 1
    assert deployment.accept(refused)[0].created is False


@pytest.fixture(scope="module")
def asked(deployment: Deployment) -> dict[str, str]:
    """An invitation of each account without a plain answer, all at once, for each waits some seconds."""
    for account, (fault, _) in UNPLAIN.items():
        deployment.simulator.control(account=deployment.key_at_provider(account), kind="consent", count=1, **fault)
    receipts = deployment.accept(*(job(account, "waits") for account in UNPLAIN))
    return {account: receipt.id for account, receipt in zip(UNPLAIN, receipts, strict=True)}


@pytest.mark.parametrize("account", UNPLAIN)
def test_without_a_plain_answer_it_waits_and_is_asked_again(
    deployment: Deployment, asked: dict[str, str], account: str
) -> None:
    record = deployment.wait_for(asked[account], "accepted", "suppressed", "failed", seconds=40)

    assert (record.state, record.attempts, record.throttled) == ("accepted", *UNPLAIN[account][1])
    assert kinds(deployment, account) == ["consent", "consent", "create"]


def test_a_gate_with_room_for_one_call_asks_once_and_then_calls(deployment: Deployment) -> None:
    receipts = deployment.accept(*(job("narrow", number) for number in range(3)))

    for receipt in receipts:
        deployment.wait_for(receipt.id, "accepted", seconds=60)

    asked = kinds(deployment, "narrow")
    assert (asked.count("consent"), asked.count("create"), len(asked)) == (3, 3, 6)
    assert deployment.stats("narrow")["rejected_by_limit"] == 0


def test_a_call_whose_answer_was_lost_is_looked_up_and_needs_no_second_yes(deployment: Deployment) -> None:
    before = len(kinds(deployment, "brand"))
    key = deployment.key_at_provider("brand")
    deployment.simulator.control(account=key, kind="create", fault="reset_before", count=1)
    receipt = deployment.accept(job("brand", "lost"))[0]

    record = deployment.wait_for(receipt.id, "accepted", "duplicate", "failed", seconds=40)

    assert (record.state, record.attempts) == ("accepted", 1)
    assert kinds(deployment, "brand", since=before) == ["consent", "create", "retrieve", "create"]


def test_a_job_without_an_order_from_before_consent_was_required_is_rejected(deployment: Deployment) -> None:
    before = len(kinds(deployment, "brand"))
    text = '{"account": "brand", "email": "jane@example.com"}'
    Ledger(deployment.redis).accept([Entry("o" * 32, "brand", "brand", "", text, 0, 60_000)])

    record = deployment.wait_for("o" * 32, "rejected", "accepted", "suppressed")

    assert (record.state, record.attempts) == ("rejected", 0)
    assert record.reason == NO_ORDER_TO_ASK
    assert kinds(deployment, "brand", since=before) == []


def test_a_job_without_an_order_is_refused(deployment: Deployment) -> None:
    receipt = deployment.accept({"account": "asks", "email": "jane@example.com"})[0]

    within(lambda: deployment.state(receipt.id) == "refused", "the refusal")
    assert [fault["field"] for fault in deployment.record(receipt.id).faults] == ["order"]
