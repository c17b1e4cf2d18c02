"""An address that asked for no invitations: nothing that comes for it, waits for it or is replayed gets to a call."""

from typing import cast

import pytest
from redis import Redis

from tasks.outcome import Rejected, Throttled
from tests.property.desk import DAY_MS, LONG_MS, Desk, account
from worker.entries import Entry, Receipt
from worker.suppressed import OptOuts

REASON = "the address asked for no invitations"


def accept(line: Desk, one: str, name: str = "a", who: str = "jane") -> Receipt:
    return line.ledger.accept([Entry(one, name, name, f"order-{one}", "job of Jane", 0, LONG_MS, who=who)])[0]


def opt_out(line: Desk, name: str | None = None) -> OptOuts:
    listed = OptOuts(line.ledger)
    assert listed.add(["jane"], name) == 1
    return listed


def shelf(line: Desk, name: str = "a") -> list[str]:
    return [one for one, _ in line.redis.zscan_iter(f"invitations:state:{name}:suppressed")]


def test_a_new_job_ends_at_once_and_nothing_of_it_is_kept(line: Desk) -> None:
    opt_out(line)

    receipt = accept(line, "x")

    assert receipt == Receipt("x", "suppressed", True)
    record = line.record("x")
    assert (record.state, record.reason, record.job, record.order) == ("suppressed", REASON, "", "order-x")
    assert [change.state for change in record.history] == ["suppressed"]
    assert (shelf(line), line.line("a"), line.admit()) == (["x"], [], [])
    [(_, event)] = cast(list[tuple[str, dict[str, str]]], line.redis.xrange("invitations:events"))
    assert (event["id"], event["state"], event["reason"]) == ("x", "suppressed", REASON)


def test_one_account_can_be_asked_alone(line: Desk) -> None:
    opt_out(line, "a")

    receipts = [accept(line, "x", "a"), accept(line, "y", "b"), accept(line, "z", "a", who="joe")]

    assert [receipt.state for receipt in receipts] == ["suppressed", "queued", "queued"]


@pytest.mark.parametrize("who", ["joe", ""])
def test_nobody_else_is_concerned(line: Desk, who: str) -> None:
    opt_out(line)

    assert accept(line, "x", who=who).state == "queued"


def test_after_they_changed_their_mind_new_jobs_pass_and_the_old_one_stays_what_it_is(line: Desk) -> None:
    listed = opt_out(line)
    accept(line, "x")

    listed.remove(["jane"], None)

    assert accept(line, "x") == Receipt("x", "suppressed", False)
    assert line.ledger.replay("x") == ("suppressed", False)
    assert accept(line, "y") == Receipt("y", "queued", True)


def test_what_was_announced_ends_when_a_worker_takes_it_and_gives_its_slot_back(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit="1/hour", concurrency=1))
    accept(line, "x")
    accept(line, "y", who="joe")
    assert line.admit() == ["x"]
    assert line.admit() == [], "the limit is spent"
    opt_out(line)

    assert line.no_claim("x") == "suppressed"

    assert (line.record("x").state, line.record("x").job) == ("suppressed", "")
    assert line.no_claim("x") == "stale"
    assert line.admit() == ["y"]


@pytest.mark.parametrize("announced", [False, True])
def test_what_waits_is_ended_at_once(line: Desk, announced: bool) -> None:
    accept(line, "x")
    if announced:
        assert line.admit() == ["x"]
    opt_out(line)

    assert line.ledger.suppress("x", "jane") is True
    assert line.ledger.suppress("x", "jane") is False

    assert (line.record("x").state, line.record("x").job, shelf(line)) == ("suppressed", "", ["x"])
    assert line.no_claim("x") == "stale"
    assert line.redis.zcard("invitations:inflight:a") == 0


def test_nothing_ends_that_the_list_does_not_name(line: Desk) -> None:
    accept(line, "x")
    opt_out(line, "b")

    assert line.ledger.suppress("x", "jane") is False
    assert line.admit() == ["x"]


def test_what_a_worker_holds_ends_when_its_turn_comes_again(line: Desk) -> None:
    accept(line, "x", who="")
    claim = line.claim(*line.admit())
    opt_out(line)

    assert line.ledger.suppress("x", "jane") is False
    assert line.answer(claim, Throttled("slow down", 1_000)) == "queued"

    line.later(DAY_MS)
    assert line.no_claim(*line.admit()) == "suppressed"


def test_a_replay_calls_nobody_for_them(line: Desk) -> None:
    accept(line, "x")
    line.deliver(*line.admit(), outcome=Rejected("never"))
    opt_out(line)

    assert line.ledger.replay("x") == ("suppressed", False)

    assert (shelf(line), line.line("a")) == (["x"], [])
    assert line.redis.exists("invitations:state:a:rejected") == 0
    assert (line.record("x").job, line.record("x").state) == ("", "suppressed")


def test_the_list_keeps_when_an_address_was_added_first(line: Desk) -> None:
    listed = opt_out(line)
    [first] = listed.since(["jane"], None)

    assert listed.add(["jane", "joe"], None) == 1

    assert listed.since(["jane", "nobody"], None) == [first, None]
    assert listed.since(["jane"], "a") == [None]
    assert first is not None
    assert 0 <= line.ledger.now() - first < DAY_MS
