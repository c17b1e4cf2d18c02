"""What is finished is erased once it is old enough, and nothing else."""

from tasks.outcome import Accepted
from tests.property.desk import DAY_MS, Desk
from worker.entries import Entry

SOON = 1_000
MINUTE = 60_000


def test_what_is_not_old_enough_is_not_erased(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    line.deliver(*line.admit())
    now = line.ledger.now()
    line.later(MINUTE)

    assert line.ledger.erase(one, "a", "accepted", now - MINUTE - SOON) is False
    assert line.ledger.erase(one, "a", "rejected", now) is False
    assert line.record(one).state == "accepted"
    assert line.ledger.erase(one, "a", "accepted", now - MINUTE) is True
    assert line.redis.keys(f"*{one}*") == []
    assert line.shelves("a") == {}


def test_nothing_unfinished_is_erased(line: Desk) -> None:
    waits, held = line.line_up("a", 2)
    line.claim(line.admit(1)[0])
    much_later = line.ledger.now() + DAY_MS

    for one in (waits, held):
        for state in ("queued", "delivering", "failed"):
            assert line.ledger.erase(one, "a", state, much_later) is False

    assert {line.record(waits).state, line.record(held).state} == {"queued", "delivering"}


def test_an_accepted_invitation_counts_as_finished_when_it_is_meant_to_leave(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    line.deliver(*line.admit(), outcome=Accepted("ref", scheduled_in_ms=5 * DAY_MS))

    accepted, leaves = line.record(one).accepted_at, line.record(one).sends_at

    assert accepted is not None
    assert leaves == accepted + 5 * DAY_MS
    assert line.ledger.erase(one, "a", "accepted", leaves - 1) is False
    assert line.ledger.erase(one, "a", "accepted", leaves) is True


def test_what_was_erased_can_come_again(line: Desk) -> None:
    entry = Entry("own", "a", "a", "1001", "job", 0, DAY_MS, natural="natural")
    line.ledger.accept([entry])
    line.deliver(*line.admit())

    line.ledger.erase("own", "a", "accepted", line.ledger.now())

    assert line.ledger.accept([entry])[0].created is True
