"""What Celery's remote control does to a worker of ours."""

from collections.abc import Iterator
from types import SimpleNamespace
from unittest.mock import Mock, patch

import pytest
from celery.worker.control import Panel
from celery.worker.state import revoked
from redis.exceptions import ConnectionError as RedisConnectionError

from worker.steering import REVOKED, WITHOUT_EFFECT


@pytest.fixture(autouse=True)
def _nothing_stays_revoked() -> Iterator[None]:
    yield
    revoked.clear()


def worker() -> SimpleNamespace:
    return SimpleNamespace(app=Mock(), consumer=Mock())


@pytest.mark.parametrize("command", WITHOUT_EFFECT)
def test_what_would_change_nothing_is_refused(command: str) -> None:
    assert Panel.data[command](worker(), n=1) == {"error": WITHOUT_EFFECT[command]}
    assert WITHOUT_EFFECT[command] in Panel.meta[command].help


STATES = {"waits": ("cancelled", True), "called": ("delivering", False), "over": ("failed", False)}


@pytest.mark.parametrize("command", ["revoke", "terminate"])
def test_a_revoke_cancels_what_waits_and_holds_for_what_is_called(command: str) -> None:
    asked = worker()
    with patch("worker.steering.ledger") as ledger:
        ledger().cancel.side_effect = lambda one, _: STATES[one]

        answer = Panel.data[command](asked, task_id=list(STATES), terminate=True, signal="SIGTERM")

    assert [call.args for call in ledger().cancel.call_args_list] == [(one, REVOKED) for one in STATES]
    assert STATES.keys() & set(revoked) == {"called"}
    assert [call.kwargs["uuid"] for call in asked.consumer.event_dispatcher.send.call_args_list] == ["waits"]
    assert "ok" in answer


def test_where_redis_does_not_answer_it_is_said_what_becomes_of_it() -> None:
    with patch("worker.steering.ledger") as ledger:
        ledger().cancel.side_effect = RedisConnectionError

        answer = Panel.data["revoke"](worker(), "one")

    assert answer == {"error": "Redis did not answer: what waits is cancelled when it is due"}
    assert "one" in revoked
