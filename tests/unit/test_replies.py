"""Whom a job names is owed each final state, from the step that brings it; and nothing else is kept for it."""

from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from redis import Redis

from config.celery_values import REPLIES
from tasks.job import ReplyTo
from tasks.replies import ReplySender, reply
from tests.property.desk import Desk, account
from tests.unit.lives import LIVES, accept, sent
from worker.entries import Entry, RefusedEntry

TO = ReplyTo(task="shop.invitation_ended", queue="shop-replies")
FINAL = {state: [state] for state in LIVES if state not in ("queued", "delivering")} | {"sent": ["accepted", "sent"]}


@pytest.fixture
def line(real_redis: Redis) -> Desk:
    return Desk(real_redis, account("a"))


@pytest.fixture
def _named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The jobs of all lives name somebody."""
    monkeypatch.setattr("tests.unit.lives.Entry", partial(Entry, reply=str(TO)))
    monkeypatch.setattr("tests.unit.lives.RefusedEntry", partial(RefusedEntry, reply=str(TO)))


def owed(redis: Redis) -> list[dict[str, str]]:
    entries: Any = redis.xrange(REPLIES)
    return [fields for _, fields in entries]


@pytest.mark.usefixtures("_named")
@pytest.mark.parametrize("state", LIVES)
def test_each_final_state_is_owed_from_its_step_on(line: Desk, state: str) -> None:
    LIVES[state](line)

    record = line.record("x")
    at = [change.at for change in record.history if change.state in FINAL]
    assert owed(line.redis) == [
        {"id": "x", "state": owed_state, "at": str(when)}
        for owed_state, when in zip(FINAL.get(state, []), at, strict=True)
    ]
    assert record.reply == "shop-replies shop.invitation_ended"


@pytest.mark.parametrize("state", LIVES)
def test_nothing_is_owed_and_nothing_kept_for_who_names_nobody(line: Desk, state: str) -> None:
    LIVES[state](line)

    assert owed(line.redis) == []
    assert line.redis.hget("invitations:record:x", "reply") is None
    assert line.redis.hget("invitations:record:x", "v") == "2"


@pytest.mark.usefixtures("_named")
def test_what_is_replayed_is_owed_its_new_end_too(line: Desk) -> None:
    LIVES["rejected"](line)
    line.ledger.replay("x")
    line.deliver(*line.admit())

    assert [one["state"] for one in owed(line.redis)] == ["rejected", "accepted"]


@pytest.mark.usefixtures("_named")
def test_a_known_invitation_keeps_to_whom_its_first_job_named(line: Desk) -> None:
    accept(line)

    [again] = line.ledger.accept([Entry("x", "a", "a", "1", "job", 0, 1_000, reply="other other.task")])

    assert not again.created
    assert line.record("x").reply == str(TO)


@pytest.mark.usefixtures("_named")
def test_a_reply_tells_what_an_event_does(line: Desk) -> None:
    sent(line)
    [accepted, gone_out] = [reply(line.record("x"), one["state"], int(one["at"])) for one in owed(line.redis)]

    events: Any = line.redis.xrange("invitations:events")
    told = [{**fields, "at": int(fields["at"])} for _, fields in events if fields["state"] in FINAL]
    assert [accepted, gone_out] == told
    assert accepted["reason"] == "needle-reason"


@pytest.mark.usefixtures("_named")
def test_who_was_forgotten_before_it_was_sent_is_told_of_no_more(line: Desk) -> None:
    LIVES["rejected"](line)
    line.ledger.forget("x")

    [one] = owed(line.redis)
    assert reply(line.record("x"), one["state"], int(one["at"])) == {
        "id": "x",
        "account": "a",
        "order": "",
        "state": "rejected",
        "reason": "",
        "at": int(one["at"]),
    }


@pytest.mark.usefixtures("_named")
def test_a_worker_that_would_not_tell_leaves_it_to_others(line: Desk) -> None:
    accept(line)
    [one] = line.admit()

    with patch("worker.ledger.NEWEST", 2):
        assert line.no_claim(one) == "newer"


@pytest.mark.usefixtures("_named")
@pytest.mark.parametrize(
    "foreign", [{"x": "y"}, {"id": "damaged", "state": "accepted", "at": "1"}], ids=["without an id", "damaged"]
)
def test_a_reply_that_cannot_be_read_holds_up_no_other(
    line: Desk, foreign: dict[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    line.redis.hset("invitations:record:damaged", "reply", "a.queue a.task")
    entry = line.redis.xadd(REPLIES, foreign)
    LIVES["accepted"](line)
    told: list[str] = []
    monkeypatch.setattr("tasks.replies.app.send_task", lambda task, args, **_: told.append(args[0]["id"]))

    reader = ReplySender(line.redis, idle_ms=60_000)
    reader._create_group()
    reader.turn()

    assert told == ["x"]
    left: Any = line.redis.xrange(REPLIES)
    assert [one for one, _ in left] == [entry]
