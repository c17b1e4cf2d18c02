"""What a person does with an invitation: cancels it, or replays it."""

import pytest

from tasks.outcome import Accepted, Duplicate, Rejected, Unavailable
from tests.property.desk import DAY_MS, Desk

MINUTE = 60_000


def test_a_waiting_invitation_is_cancelled(line: Desk) -> None:
    (one,) = line.line_up("a", 1)

    assert line.ledger.cancel(one, "the order was returned") == ("cancelled", True)

    assert line.ledger.cancel(one, "again") == ("cancelled", False)
    assert line.record(one).reason == "the order was returned"
    assert line.shelves("a") == {"cancelled": [one]}
    assert line.admit() == []


def test_an_announced_invitation_is_cancelled_and_its_message_is_stale(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    line.admit()

    assert line.ledger.cancel(one, "the order was returned") == ("cancelled", True)

    assert line.no_claim(one) == "stale"


def test_what_is_delivered_or_unknown_is_not_cancelled(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    claim = line.claim(line.admit()[0])

    assert line.ledger.cancel(one, "too late") == ("delivering", False)
    assert line.ledger.cancel("nobody knows it", "") == ("unknown", False)
    assert line.answer(claim, Accepted()) == "accepted"


def test_a_rejected_invitation_is_replayed_with_all_its_time_and_its_history(line: Desk) -> None:
    (one,) = line.line_up("a", 1, expires_ms=MINUTE)
    line.deliver(*line.admit(), outcome=Rejected("never"))
    line.later(DAY_MS)

    assert line.ledger.replay(one) == ("queued", True)

    assert line.shelves("a") == {}
    line.later(MINUTE // 2)
    line.deliver(*line.admit())
    record = line.record(one)
    assert [change.state for change in record.history] == [
        "queued",
        "delivering",
        "rejected",
        "queued",
        "delivering",
        "accepted",
    ]
    assert record.history[3].reason == "replayed"


def test_a_failed_invitation_is_replayed_with_no_attempts_behind_it(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    for _ in range(10):
        line.answer(line.claim(*line.admit()), Unavailable("away"), down_after=99)
        line.later(DAY_MS)
    assert line.record(one).state == "failed"

    assert line.record(one).reason == "gave up after 10 attempts; the last: away"

    line.ledger.replay(one)

    assert line.record(one).attempts == 0
    assert line.admit() == [one]


@pytest.mark.parametrize("state", ["queued", "accepted", "duplicate", "cancelled"])
def test_nothing_else_is_replayed(line: Desk, state: str) -> None:
    (one,) = line.line_up("a", 1)
    if state == "cancelled":
        line.ledger.cancel(one, "")
    elif state != "queued":
        line.deliver(*line.admit(), outcome=Accepted() if state == "accepted" else Duplicate("known"))

    assert line.ledger.replay(one) == (state, False)
    assert line.record(one).state == state


def test_replaying_what_nobody_knows(line: Desk) -> None:
    assert line.ledger.replay("nobody knows it") == ("unknown", False)
