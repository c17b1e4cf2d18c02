"""Leases in the ledger: one worker at a time holds an invitation, and one that was overtaken does no harm."""

from dataclasses import replace

import pytest
from redis import Redis

from tasks.decision import History, Policy, next_step
from tasks.outcome import Accepted, Duplicate, Outcome, Rejected, Suppressed, Throttled, Unavailable, Unclear
from tests.property.desk import LEASE_MS, Desk, account
from worker.claims import Claim, NoClaim

SOON = 1_000
MINUTE = 60_000


def test_nobody_claims_what_was_not_announced_or_is_taken(line: Desk) -> None:
    one, other = line.line_up("a", 2)
    assert line.admit(1) == [one]

    line.claim(one)

    assert line.no_claim(one) == "stale"
    assert line.no_claim(other) == "stale"
    assert line.no_claim("nobody knows it") == "stale"


def test_a_message_from_before_the_lease_ended_is_as_good_as_the_new_one(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    line.admit()
    line.later(LEASE_MS)
    assert line.admit() == [one]

    line.claim(one)

    assert line.no_claim(one) == "stale"


def test_a_claim_whose_answer_was_lost_is_answered_again(line: Desk) -> None:
    line.line_up("a", 1)
    (one,) = line.admit()
    first = line.ledger.claim(one, LEASE_MS, by="me")

    again = line.ledger.claim(one, LEASE_MS, by="me")

    assert isinstance(first, Claim)
    assert again == replace(first, now=again.now if isinstance(again, Claim) else 0)
    assert line.events(one) == [("queued", ""), ("delivering", "")]
    assert line.ledger.claim(one, LEASE_MS, by="another") == NoClaim("stale", "a")
    assert line.answer(first, Accepted()) == "accepted"
    assert line.ledger.claim(one, LEASE_MS, by="me") == NoClaim("stale", "a")


def test_a_lease_runs_from_when_a_worker_took_it(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    line.admit()
    line.later(LEASE_MS - SOON)
    claim = line.claim(one)

    line.later(LEASE_MS - SOON)
    assert line.admit() == []

    assert line.answer(claim, Accepted()) == "accepted"


def overtaken(line: Desk) -> tuple[Claim, Claim]:
    """Two workers over one invitation: the lease of the first one ended."""
    line.line_up("a", 1)
    first = line.claim(line.admit()[0])
    line.later(LEASE_MS)
    second = line.claim(line.admit()[0])
    return first, second


def test_who_was_overtaken_cannot_put_the_invitation_back_in_line(line: Desk) -> None:
    first, second = overtaken(line)

    step = {"state": "queued", "reason": "", "counts": True}

    assert line.ledger.settle(first.id, first.token, step) == ("delivering", False)
    assert line.record(first.id).attempts == 1, "the lease that ended is the one attempt"
    assert line.answer(second, Accepted()) == "accepted"


@pytest.mark.parametrize("outcome", [Accepted("ref"), Unavailable("refused"), Throttled("slowly", 1_000)])
def test_who_did_not_hear_the_answer_hears_it_again_and_nothing_more_happens(line: Desk, outcome: Outcome) -> None:
    line.line_up("a", 1)
    claim = line.claim(line.admit()[0])
    step = next_step(outcome, History(0, False), Policy(10, expects_sent=False), jitter=0).as_dict()
    first = line.ledger.settle(claim.id, claim.token, step)
    record, gate = line.record(claim.id), line.gate("a")

    assert line.ledger.settle(claim.id, claim.token, step) == first == (step["state"], True)

    assert (line.record(claim.id), line.gate("a")) == (record, gate)


@pytest.mark.parametrize("outcome", [Accepted("ref"), Duplicate("known"), Rejected("never"), Suppressed("no")])
def test_who_was_overtaken_still_brings_what_the_provider_decided(line: Desk, outcome: Outcome) -> None:
    first, second = overtaken(line)

    state = line.answer(first, outcome)

    assert line.shelves("a") == {state: [first.id]}
    assert line.ledger.settle(second.id, second.token, {"state": "rejected", "reason": ""}) == (state, False)
    assert line.admit() == []


def test_a_decision_that_comes_late_spares_the_call_that_was_announced(line: Desk) -> None:
    line.line_up("a", 1)
    first = line.claim(line.admit()[0])
    line.later(LEASE_MS)
    assert line.admit() == [first.id]

    line.answer(first, Accepted())

    assert line.no_claim(first.id) == "stale"
    assert line.record(first.id).state == "accepted"


def test_a_decision_that_comes_late_takes_the_invitation_out_of_the_line(line: Desk) -> None:
    line.line_up("a", 1)
    claim = line.claim(*line.admit())
    line.ledger.pause("a", "the shop moves")
    line.later(LEASE_MS)
    assert line.admit() == []
    assert line.line("a") == [claim.id]

    line.answer(claim, Accepted())

    assert line.line("a") == []
    line.ledger.resume("a")
    assert line.admit() == []


def test_a_decision_that_comes_late_frees_the_place_of_the_call_it_overtakes(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", concurrency=1))
    first, _ = overtaken(line)
    other = line.line_up("a", 1)
    assert line.admit() == []

    line.answer(first, Accepted())

    assert line.admit() == other


def test_a_job_that_ends_its_workers_waits_longer_each_time(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    admitted, waits = line.admit(), []
    for _ in range(5):
        line.claim(*admitted)
        line.later(LEASE_MS)
        admitted = line.admit()
        due_at = line.record(one).due_at
        assert due_at is not None
        waits.append(max(0, round((due_at - line.ledger.now()) / 1000)))
        if not admitted:
            line.later(waits[-1] * 1000 + SOON)
            admitted = line.admit()

    assert waits == [0, 10, 20, 40, 80]
    assert line.record(one).attempts == 5


def unclear_since(line: Desk, invitation: str) -> int | None:
    since = line.redis.hget(f"invitations:record:{invitation}", "unclear_since")
    return int(since) if since else None


def test_the_first_call_that_may_have_arrived_is_remembered(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    first = line.claim(line.admit()[0])
    line.answer(first, Unclear("no answer"))
    assert unclear_since(line, one) == first.now

    line.later(MINUTE)
    line.deliver(*line.admit(), outcome=Unclear("no answer"))
    assert unclear_since(line, one) == first.now - MINUTE, "the second is not the first"
    line.later(MINUTE)
    line.deliver(*line.admit())

    assert unclear_since(line, one) == first.now - 2 * MINUTE, "and it is known when the list is searched"


def test_a_call_that_a_dead_worker_began_may_have_arrived(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    lost = line.claim(line.admit()[0])

    line.later(LEASE_MS)
    line.admit()

    assert unclear_since(line, one) == lost.now - LEASE_MS


def test_a_call_that_surely_did_not_arrive_is_not_remembered(line: Desk) -> None:
    (one,) = line.line_up("a", 1)

    line.deliver(*line.admit(), outcome=Unavailable("away"))

    assert unclear_since(line, one) is None
