"""A call whose answer was lost: the provider's list is asked first, within the gate, and nothing is sent twice."""

import pytest

from tests.integration.deployment import Deployment, job, within


@pytest.fixture(scope="module", autouse=True)
def _worker(deployment: Deployment) -> None:
    deployment.start_worker()


def fault(deployment: Deployment, kind: str, name: str, **more: object) -> None:
    """The next call of this kind to shop_nl goes wrong."""
    key = deployment.key_at_provider("shop_nl")
    deployment.simulator.control(account=key, kind=kind, fault=name, count=1, **more)


def test_a_call_that_arrived_is_found_in_the_list_and_not_repeated(deployment: Deployment) -> None:
    fault(deployment, "create", "reset_after")
    sent = job("shop_nl", "arrived")
    receipt = deployment.accept(sent)[0]

    record = deployment.wait_for(receipt.id, "accepted", "sent", "duplicate", seconds=40)

    assert record.state == "accepted"
    assert [change.reason for change in record.history if change.state == "accepted"] == [
        "an earlier call had reached the provider"
    ]
    assert len([call for call in deployment.calls(sent) if call["kind"] == "create"]) == 1


def test_a_look_up_that_is_refused_for_the_limit_closes_the_gate(deployment: Deployment) -> None:
    before = deployment.stats("shop_nl")
    fault(deployment, "create", "reset_before")
    sent = job("shop_nl", "lost")
    receipt = deployment.accept(sent)[0]
    within(lambda: deployment.record(receipt.id).attempts == 1, "the first call lost")
    fault(deployment, "retrieve", "status:429", retry_after="3")

    record = deployment.wait_for(receipt.id, "accepted", "duplicate", seconds=60)

    after = deployment.stats("shop_nl")
    assert (record.state, record.throttled, record.attempts) == ("accepted", 1, 1)
    assert after["accepted"] - before["accepted"] == 1
    assert after["inside_retry_after"] == before["inside_retry_after"]
