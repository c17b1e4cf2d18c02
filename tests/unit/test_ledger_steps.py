"""The steps of an invitation in the ledger, one at a time."""

import pytest

from tasks.outcome import Accepted, Duplicate, Outcome, Rejected, Suppressed, Throttled, Unavailable, Unclear
from tests.property.desk import DAY_MS, Desk

SOON = 1_000
MINUTE = 60_000


def test_a_delay_is_waited_out(line: Desk) -> None:
    (one,) = line.line_up("a", 1, delay_ms=3 * DAY_MS)
    assert line.admit() == []
    assert line.wait_ms is not None
    assert 3 * DAY_MS - SOON < line.wait_ms <= 3 * DAY_MS

    line.later(3 * DAY_MS)

    assert line.admit() == [one]


def test_what_is_due_first_passes_first(line: Desk) -> None:
    late = line.line_up("a", 1, delay_ms=2_000)
    soon = line.line_up("a", 1, delay_ms=1_000)
    line.later(3_000)

    assert line.admit() == [*soon, *late]


def test_a_claim_says_what_the_worker_needs(line: Desk) -> None:
    (one,) = line.line_up("a", 1)

    claim = line.claim(line.admit()[0])

    record = line.record(one)
    assert (claim.id, claim.account, claim.job, claim.attempts, claim.unclear) == (one, "a", "job", 0, False)
    assert (claim.created_at, claim.due_at) == (record.created_at, record.due_at)
    assert abs(claim.now - line.ledger.now()) < SOON
    assert "job" not in repr(claim).replace("job=", "")


@pytest.mark.parametrize(
    ("outcome", "state", "attempts"),
    [
        (Accepted("ref"), "accepted", 0),
        (Duplicate("known"), "duplicate", 0),
        (Rejected("never"), "rejected", 0),
        (Suppressed("no consent"), "suppressed", 0),
        (Throttled("slow down", 1_000), "queued", 0),
        (Unavailable("away"), "queued", 1),
        (Unclear("no answer"), "queued", 1),
    ],
)
def test_a_call_leads_to_one_state(line: Desk, outcome: Outcome, state: str, attempts: int) -> None:
    (one,) = line.line_up("a", 1)
    claim = line.claim(line.admit()[0])

    assert line.answer(claim, outcome) == state

    record = line.record(one)
    assert (record.state, record.attempts) == (state, attempts)
    assert line.shelves("a") == ({} if state == "queued" else {state: [one]})
    assert [change.state for change in record.history] == ["queued", "delivering", state]
    assert [state for state, _ in line.events(one)] == ["queued", "delivering", state]


def test_a_failure_waits_longer_each_time(line: Desk) -> None:
    line.line_up("a", 1)
    waits = []
    for _ in range(4):
        line.deliver(*line.admit(), outcome=Unavailable("away"))
        due_at = line.record("a0000").due_at
        assert due_at is not None
        waits.append(round((due_at - line.ledger.now()) / 1000))
        line.later(waits[-1] * 1000 + SOON)

    assert waits == [10, 20, 40, 80]


def test_a_yes_of_the_customer_is_remembered_until_the_next(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    never = line.claim(line.admit()[0])
    line.answer(never, Throttled("slow down", 1_000), consented=True)
    line.later(MINUTE)
    after = line.claim(line.admit()[0])
    line.answer(after, Throttled("slow down", 1_000))
    line.later(MINUTE)

    assert (never.id, never.consented_at) == (one, 0)
    assert MINUTE <= after.now - after.consented_at < MINUTE + 10 * SOON
    assert line.claim(line.admit()[0]).consented_at == after.consented_at - MINUTE, "all times pass together"


def test_an_accepted_invitation_becomes_sent_once(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    line.deliver(*line.admit())
    at = line.ledger.now()

    assert line.ledger.sent(one, at) is True

    assert line.ledger.sent(one, at + 1) is False
    assert (line.record(one).state, line.record(one).sent_at) == ("sent", at)
    assert line.shelves("a") == {"sent": [one]}


@pytest.mark.parametrize("outcome", [Rejected("never"), Duplicate("known"), None])
def test_nothing_else_becomes_sent(line: Desk, outcome: Outcome | None) -> None:
    (one,) = line.line_up("a", 1)
    if outcome:
        line.deliver(*line.admit(), outcome=outcome)
    state = line.record(one).state

    assert line.ledger.sent(one, line.ledger.now()) is False
    assert line.record(one).state == state


def test_a_long_history_loses_its_beginning_and_never_its_end(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    reason = "the provider said so at length, " * 10
    for _ in range(60):
        claim = line.claim(line.admit()[0])
        line.ledger.settle(one, claim.token, {"state": "queued", "reason": reason, "wait_ms": 0})

    line.deliver(*line.admit())

    record = line.record(one)
    assert 20 < len(record.history) < 120
    assert [change.state for change in record.history[-3:]] == ["queued", "delivering", "accepted"]
    assert len(str(line.redis.hget(f"invitations:record:{one}", "history"))) < 21_000
    assert len(line.events(one)) == 123


@pytest.mark.parametrize("reason", ["two\nlines", "one\u2028two\x85three", 'a "quote" and a \\', "café ☕ \x7f\x1c"])
def test_any_reason_can_be_read_again(line: Desk, reason: str) -> None:
    (one,) = line.line_up("a", 1)

    line.deliver(*line.admit(), outcome=Rejected(reason))

    record = line.record(one)
    assert record.reason == reason
    assert record.history[-1].reason == reason
    assert line.events(one)[-1] == ("rejected", reason)
