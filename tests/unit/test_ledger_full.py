"""A Redis that is full: nothing new is written, not even in part, and what is under way comes to its end."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redis import Redis
from redis.exceptions import OutOfMemoryError

from tasks.outcome import Accepted, Throttled
from tests.property.desk import DAY_MS, Desk, account
from tests.property.invariants import check_places
from tests.property.snapshot import take_snapshot
from worker.entries import Entry, RefusedEntry
from worker.suppressed import OptOuts


@pytest.fixture
def line(real_redis: Redis) -> Desk:
    return Desk(real_redis, account("a", limit="100/minute"))


@contextmanager
def full(redis: Redis) -> Iterator[None]:
    redis.config_set("maxmemory", 1)
    try:
        yield
    finally:
        redis.config_set("maxmemory", 0)


@pytest.mark.parametrize("entry", [Entry("x", "a", "a", "1001", "job", 0, DAY_MS), RefusedEntry("x", "a", "job")])
def test_a_job_is_not_taken_in_part(line: Desk, entry: Entry | RefusedEntry) -> None:
    before = line.redis.dbsize()

    with full(line.redis), pytest.raises(OutOfMemoryError):
        line.ledger.accept([entry])

    assert line.redis.dbsize() == before
    assert line.line("a") == []
    assert line.ledger.accept([entry])[0].created


def test_nothing_passes_a_gate_and_nothing_is_forgotten(line: Desk) -> None:
    ids = line.line_up("a", 3)

    with full(line.redis), pytest.raises(OutOfMemoryError):
        line.admit()

    assert line.line("a") == ids
    assert line.admit() == ids


def test_what_was_announced_is_brought_to_its_end(line: Desk) -> None:
    taken, throttled, late, _ = line.line_up("a", 4)
    line.admit()
    claim = line.claim(taken)

    with full(line.redis):
        assert line.answer(claim, Accepted("ref")) == "accepted"
        assert line.answer(line.claim(throttled), Throttled("slowly", 60_000)) == "queued"
        assert line.no_claim(late) == "shut"
        assert line.ledger.cancel(throttled, "by hand") == ("cancelled", True)
        assert line.ledger.sent(taken, line.ledger.now())

    check_places(take_snapshot(line.redis, ["a"], ["a"]))
    assert [line.record(one).state for one in (taken, throttled, late)] == ["sent", "cancelled", "queued"]


def test_who_asks_for_it_is_suppressed_and_forgotten(line: Desk) -> None:
    entries = [Entry(one, "a", "a", "1001", "job", 0, DAY_MS, who="jane") for one in ("waits", "goes")]
    line.ledger.accept(entries)
    OptOuts(line.ledger).add(["jane"], None)

    with full(line.redis):
        assert line.ledger.suppress("waits", "jane")
        assert line.ledger.forget("goes") == ("a", "queued")

    assert [line.record(one).state for one in ("waits", "goes")] == ["suppressed", "cancelled"]
    check_places(take_snapshot(line.redis, ["a"], ["a"]))


def test_people_and_providers_stop_an_account_and_set_it_going(line: Desk) -> None:
    with full(line.redis):
        line.ledger.pause("a", "the shop moves")
        assert line.ledger.spend("a", "a", 0) == -1
        assert line.ledger.resume("a")
        assert line.ledger.spend("a", "a", 0) == 0
        line.ledger.tell("a", "a", {"answer": "ok", "jitter": 0})
