"""What goes wrong beside an invitation costs it nothing: a lesson of its gate, another record, an older worker."""

from time import monotonic
from typing import Any
from unittest.mock import patch

import pytest
from redis import Redis

from tasks.outcome import Accepted, Limits
from tests.property.desk import LEASE_MS, MANY, Desk, account
from worker import scripts
from worker.claims import Claim, NoClaim
from worker.entries import Entry
from worker.ledger import Ledger

MINUTE = 60_000
TAUGHT: dict[Any, Any] = {"taught_count": 5, "taught_period": MINUTE, "taught_at": 1, "grown": 0}


def test_what_an_older_worker_taught_a_gate_is_tried_again(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    (one,) = line.line_up("a", 1)
    real_redis.hset("invitations:gate:a", mapping=TAUGHT)

    line.deliver(*line.admit())

    assert line.record(one).state == "accepted"
    assert int(line.gate("a")["taught_count"]) == TAUGHT["taught_count"] + 1


def test_a_lesson_that_goes_wrong_costs_the_lesson_alone(real_redis: Redis) -> None:
    read = scripts.source
    with patch("worker.scripts.source", lambda name: read(name).replace("note_arrived(gate, now, step)\n", "no()\n")):
        line = Desk(real_redis, account("a"))
    (one,) = line.line_up("a", 1)
    claim = line.claim(*line.admit())

    state, applied = line.ledger.settle(claim.id, claim.token, {"state": "accepted", "reason": "", "answer": "ok"})

    assert (state, applied, line.record(one).state) == ("accepted", True, "accepted")
    assert "no" in line.gate("a")["lesson_fault"]
    assert real_redis.zcard("invitations:inflight:a") == 0


def test_a_window_is_found_out_by_one_slow_call_at_a_time(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", concurrency=MANY))
    line.line_up("a", 20)
    for left in (2, 1, 0):
        line.deliver(*line.admit(1), limits=Limits(3, left, MINUTE))
    assert line.admit() == [], "three a minute"
    line.later(1_500)
    (finds_out,) = line.admit()
    claim = line.claim(finds_out)
    for _ in range(3):
        line.later(1_500)
        assert line.admit() == [], "its answer is still to come"

    line.answer(claim, Accepted(), limits=Limits(3, 0, MINUTE))

    assert int(line.gate("a")["said_period"]) >= 1_000
    assert len(line.admit()) <= 3


@pytest.mark.parametrize("field", ["expires_at", "created_at", "attempts", "throttled", "due_at"])
def test_a_record_that_cannot_be_claimed_is_left_and_the_others_are_claimed(real_redis: Redis, field: str) -> None:
    line = Desk(real_redis, account("a"))
    one, broken, other = line.line_up("a", 3)
    real_redis.hdel(f"invitations:record:{broken}", field)

    _, taken = line.ledger.take(3, LEASE_MS, "me", 1, monotonic())

    assert {one: type(taken[one]), other: type(taken[other])} == {one: Claim, other: Claim}
    assert taken[broken] == NoClaim("unreadable", "-")


def held(claim: Claim | NoClaim) -> str | None:
    return claim.token if isinstance(claim, Claim) else None


def test_a_take_whose_answer_was_lost_is_answered_again(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    ids = line.line_up("a", 5)
    _, lost = line.ledger.take(2, LEASE_MS, "me", 7, 123.0)

    wait_ms, again = line.ledger.take(2, LEASE_MS, "me", 7, 123.0)
    _, others = line.ledger.take(2, LEASE_MS, "another", 7, 125.0)
    _, more = line.ledger.take(2, LEASE_MS, "me", 8, 124.0)

    assert wait_ms == 0, "there may be more: it looks again at once"
    assert [held(claim) for claim in again.values()] == [held(claim) for claim in lost.values()] == ["1", "1"]
    assert (list(lost), list(others), list(more)) == (ids[:2], ids[2:4], ids[4:])
    assert [claim.asked_at for claim in again.values() if isinstance(claim, Claim)] == [123.0, 123.0]


def test_a_take_whose_leases_ended_meanwhile_gives_nothing_of_it_again(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    (one,) = line.line_up("a", 1)
    line.ledger.take(1, LEASE_MS, "me", 7, monotonic())
    line.later(LEASE_MS + 1)
    _, other = line.ledger.take(1, LEASE_MS, "another", 1, monotonic())

    _, again = line.ledger.take(1, LEASE_MS, "me", 7, monotonic())

    assert isinstance(other[one], Claim)
    assert not any(isinstance(claim, Claim) for claim in again.values())


def test_what_an_older_worker_held_in_a_shared_gate_comes_back(real_redis: Redis) -> None:
    members = [account(f"m{number}", limit_group="g") for number in range(50)]
    line = Desk(real_redis, *members)
    (held,) = line.line_up("m7", 1)
    line.claim(*line.admit())
    # It wrote down neither whose calls run, nor when to look.
    real_redis.delete("invitations:busy:group.g", "invitations:ready")
    line.later(LEASE_MS + 1)

    line.ledger.configure_groups()

    assert line.admit() == [held]


def test_gates_of_one_account_are_not_told_again(real_redis: Redis) -> None:
    ledger = Ledger(real_redis)
    ledger.configure([account("a"), account("b", limit_group="g")])
    real_redis.delete("invitations:gate:a", "invitations:gate:group.g")

    ledger.configure_groups()

    assert (real_redis.exists("invitations:gate:a"), real_redis.exists("invitations:gate:group.g")) == (0, 1)


def test_an_answer_that_outlives_its_record_ends_the_one_that_was_accepted_again(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    (one,) = line.line_up("a", 1)
    claim = line.claim(*line.admit())
    real_redis.flushdb()
    line.configure(account("a"))
    line.ledger.accept([Entry(one, "a", "a", one, "job", 0, 1_000_000)])

    assert line.answer(claim, Accepted()) == "accepted"
    assert line.admit() == []
