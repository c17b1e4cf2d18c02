"""Jobs come into the ledger: once each, in steps that are not too long, and refused ones with their faults."""

import json

from redis import Redis

from tasks.outcome import Rejected
from tests.property.desk import DAY_MS, Desk
from worker.entries import Entry, RefusedEntry


def test_the_first_job_creates_the_invitation_and_the_second_changes_nothing(line: Desk) -> None:
    first = Entry("x", "a", "a", "1001", "job", 5_000, DAY_MS)
    second = Entry("x", "a", "a", "1002", "other job", 0, 1)

    receipts = line.ledger.accept([first, second, first])

    assert [(receipt.id, receipt.state, receipt.created) for receipt in receipts] == [
        ("x", "queued", True),
        ("x", "queued", False),
        ("x", "queued", False),
    ]
    record = line.record("x")
    assert (record.order, record.job) == ("1001", "job")
    assert record.due_at == record.created_at + 5_000
    assert line.line("a") == ["x"]
    assert line.events("x") == [("queued", "")]


def test_a_hundred_are_accepted_in_one_step(line: Desk, real_redis: Redis) -> None:
    line.line_up("a", 1)
    real_redis.config_resetstat()

    line.line_up("a", 250)

    assert real_redis.info("commandstats")["cmdstat_evalsha"]["calls"] == 3
    assert len(line.line("a")) == 251


def test_what_is_long_is_accepted_in_smaller_steps(line: Desk, real_redis: Redis) -> None:
    entries = [Entry(f"x{place}", "a", "a", "", "x" * 60_000, 0, DAY_MS) for place in range(10)]
    line.ledger.accept(entries[:1])
    real_redis.config_resetstat()

    receipts = line.ledger.accept(entries)

    assert real_redis.info("commandstats")["cmdstat_evalsha"]["calls"] == 3
    assert [receipt.created for receipt in receipts] == [False] + [True] * 9


def test_a_job_that_is_known_answers_with_the_state_it_came_to(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    line.deliver(*line.admit(), outcome=Rejected("never"))

    (receipt,) = line.ledger.accept([Entry(one, "a", "a", "", "job")])

    assert (receipt.state, receipt.created) == ("rejected", False)
    assert line.line("a") == []


def test_a_refused_job_is_kept_once_with_its_faults(line: Desk) -> None:
    faults = json.dumps([{"field": "email", "problem": "is missing"}])
    entry = RefusedEntry("r", "-", "raw", faults, "email: is missing")

    receipts = line.ledger.accept([entry, entry])

    assert [(receipt.state, receipt.created) for receipt in receipts] == [("refused", True), ("refused", False)]
    assert line.record("r").faults == ({"field": "email", "problem": "is missing"},)
    assert line.shelves("-") == {"refused": ["r"]}
    assert line.admit() == []


def test_what_was_made_with_another_key_of_the_ids_is_not_written(line: Desk) -> None:
    line.redis.set("invitations:id_key:print", "this one")
    entries: list[Entry | RefusedEntry] = [Entry("x", "a", "a", "", "job", 0, DAY_MS), RefusedEntry("r", "-", "raw")]

    foreign = line.ledger.accept(entries, "another")
    known = line.ledger.accept(entries, "this one")

    assert [(receipt.state, receipt.created) for receipt in foreign] == [("foreign", False)] * 2
    assert [(receipt.state, receipt.created) for receipt in known] == [("queued", True), ("refused", True)]


def test_a_redis_that_lost_everything_is_told_again_what_is_configured(line: Desk) -> None:
    line.line_up("a", 1)
    line.redis.flushdb()
    (one,) = line.line_up("a", 1)

    assert line.admit() == []
    assert line.wait_ms == 0, "there is something to come back for"

    assert line.admit() == [one]
