"""What Flower shows of one invitation, and of the queues."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.integration.deployment import FLOWER_LOGIN, Deployment, job, within

Event = dict[str, Any]


@pytest.fixture(scope="module")
def flower(deployment: Deployment) -> str:
    deployment.start_worker()
    return deployment.start_flower()[1]


@pytest.fixture(scope="module")
def events(deployment: Deployment, flower: str) -> Iterator[list[Event]]:
    """All of Celery's events of tasks, as they come."""
    assert flower
    with deployment.capture_events() as captured:
        yield captured


def read(url: str) -> requests.Response:
    answer = requests.get(url, auth=FLOWER_LOGIN, timeout=20)
    assert answer.status_code == 200
    return answer


def test_one_id_shows_retry_and_success(deployment: Deployment, flower: str, events: list[Event]) -> None:
    deployment.simulator.control(
        account=deployment.key_at_provider("portal"), fault="status:429", count=2, retry_after="1"
    )
    invitation = deployment.accept(job("portal", "retried"))[0].id
    record = deployment.wait_for(invitation, "accepted")
    assert (record.throttled, record.attempts) == (2, 0)

    def kinds() -> list[str]:
        return [event["type"] for event in events if event.get("uuid") == invitation]

    within(lambda: "task-succeeded" in kinds(), "the event of the success")
    once = ["task-received", "task-started"]
    assert kinds() == [*once, "task-retried", *once, "task-retried", *once, "task-succeeded"]
    shown = read(f"{flower}/api/task/info/{invitation}").json()
    assert (shown["state"], shown["name"], shown["result"]) == ("SUCCESS", "invitations.deliver", "'accepted'")
    page = read(f"{flower}/task/{invitation}").text
    assert "SUCCESS" in page
    assert "429" in page


def test_while_it_waits_it_is_shown_as_retry(deployment: Deployment, flower: str) -> None:
    deployment.simulator.control(
        account=deployment.key_at_provider("shop_nl"), fault="status:429", count=1, retry_after="3600"
    )
    invitation = deployment.accept(job("shop_nl", "waits"))[0].id
    within(lambda: deployment.record(invitation).throttled == 1, "the refusal")
    info = f"{flower}/api/task/info/{invitation}"
    within(lambda: requests.get(info, auth=FLOWER_LOGIN, timeout=20).status_code == 200, "Flower knows it")
    within(lambda: read(info).json()["state"] == "RETRY", "the state RETRY")
    assert "429" in read(info).json()["exception"]


def test_the_queues_are_shown(flower: str) -> None:
    lengths = read(f"{flower}/api/queues/length").json()["active_queues"]
    assert {queue["name"]: queue["messages"] for queue in lengths} == {"invitations": 0}
    assert "invitations" in read(f"{flower}/broker").text
