"""A customer who is forgotten: nothing that tells of them stays in a record, and nobody calls for them again."""

import pytest
from redis import Redis

from tasks.outcome import Accepted, Outcome, Throttled, Unavailable
from tests.property.desk import DAY_MS, LEASE_MS, LONG_MS, Desk, account
from tests.support import everything_in
from tests.unit.lives import LIVES, PERSONAL, accept, answered, hold
from worker.entries import Entry


@pytest.fixture
def line(real_redis: Redis) -> Desk:
    return Desk(real_redis, account("a"))


@pytest.mark.parametrize("state", LIVES)
def test_only_id_states_times_and_counters_stay(line: Desk, state: str) -> None:
    LIVES[state](line)
    before = line.record("x")
    # What the events told is another's to take out: tasks.forget.
    line.redis.delete("invitations:events")
    assert "needle" in everything_in(line.redis)

    assert line.ledger.forget("x") == ("a", state)

    assert [word for word in PERSONAL if word in everything_in(line.redis)] == []
    record = line.record("x")
    ended = ["cancelled"] if state == "queued" else []
    states = [change.state for change in before.history]
    assert [change.state for change in record.history] == states + ended
    assert record.state == (ended or states)[-1]
    assert (record.account, record.attempts, record.created_at) == ("a", before.attempts, before.created_at)
    assert record.forgotten_at is not None
    assert line.ledger.forget("x") is None


def test_what_waited_is_cancelled_and_its_place_is_free(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit="1/hour", concurrency=1))
    accept(line)
    line.line_up("a", 1, delay_ms=1_000)
    line.later(2_000)
    assert line.admit() == ["x"]

    line.ledger.forget("x")

    assert (line.record("x").state, line.record("x").reason) == ("cancelled", "forgotten")
    assert line.no_claim("x") == "stale"
    assert line.admit() == ["a0000"]


def test_the_same_job_again_is_not_sent_again(line: Desk) -> None:
    answered(Accepted())(line)
    line.ledger.forget("x")

    [receipt] = line.ledger.accept([Entry("x", "a", "a", "needle-order", "needle-job", 0, LONG_MS)])

    assert (receipt.state, receipt.created) == ("accepted", False)
    assert line.record("x").job == ""


def test_the_answer_to_a_call_that_ran_meanwhile_brings_nothing_back(line: Desk) -> None:
    claim = hold(line)
    line.ledger.forget("x")
    line.redis.delete("invitations:events")

    assert line.answer(claim, Accepted("needle-reference"), reason="needle-reason", expect=True) == "accepted"

    assert "needle" not in everything_in(line.redis)
    assert line.redis.exists("invitations:expected:a") == 0


@pytest.mark.parametrize("outcome", [Throttled("needle-reason", 1), Unavailable("needle-reason")])
def test_nor_is_it_called_again(line: Desk, outcome: Outcome) -> None:
    claim = hold(line)
    line.ledger.forget("x")

    assert line.answer(claim, outcome) == "cancelled"
    assert line.answer(claim, outcome) == "cancelled", "to whom the first answer did not come"

    record = line.record("x")
    assert (record.state, record.reason) == ("cancelled", "forgotten")
    line.later(DAY_MS)
    assert (line.line("a"), line.admit()) == ([], [])
    assert line.redis.zrange("invitations:state:a:cancelled", 0, -1) == ["x"]


def test_nor_when_the_worker_died(line: Desk) -> None:
    hold(line)
    line.ledger.forget("x")

    line.later(LEASE_MS + 1)

    assert line.admit() == []
    record = line.record("x")
    assert (record.state, record.reason, record.attempts) == ("cancelled", "forgotten", 0)
    assert (line.line("a"), line.redis.exists("invitations:inflight:a")) == ([], 0)
    assert line.redis.zrange("invitations:state:a:cancelled", 0, -1) == ["x"]


def test_nor_where_a_worker_of_before_lined_it_up_again(line: Desk) -> None:
    accept(line)
    assert line.admit() == ["x"]
    line.redis.hset("invitations:record:x", mapping={"job": "", "forgotten_at": 1})

    assert line.no_claim("x") == "stale"

    assert (line.record("x").state, line.redis.exists("invitations:inflight:a")) == ("cancelled", 0)
    assert line.redis.zrange("invitations:state:a:cancelled", 0, -1) == ["x"]


@pytest.mark.parametrize("state", ["rejected", "failed"])
def test_it_cannot_be_replayed(line: Desk, state: str) -> None:
    LIVES[state](line)
    line.ledger.forget("x")

    assert line.ledger.replay("x") == ("forgotten", False)

    assert (line.record("x").state, line.line("a")) == (state, [])


def test_what_is_not_there_cannot_be_forgotten(line: Desk) -> None:
    assert line.ledger.forget("x") is None
    assert line.redis.exists("invitations:record:x") == 0
