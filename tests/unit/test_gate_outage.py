"""A provider that is down costs probes."""

import pytest
from redis import Redis

from tasks.decision import DOWN_AFTER, DOWN_MOST_MS, DOWN_MS
from tasks.outcome import Accepted, Rejected, Unavailable, Unclear
from tests.property.desk import Desk, account

SOON = 500
AWAY = Unavailable("no connection")


def is_open(line: Desk) -> bool:
    return line.shut_ms("a") <= 0


def go_down(line: Desk, count: int = 20) -> list[str]:
    """Lines `count` up and lets the outage be seen. Returns what waits behind it."""
    ids = line.line_up("a", count)
    line.deliver(*line.admit(DOWN_AFTER), outcome=AWAY)
    return ids[DOWN_AFTER:]


def test_so_many_failures_in_a_row_close_the_gate_and_fewer_do_not(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", DOWN_AFTER)
    opened = []
    for invitation in line.admit():
        line.deliver(invitation, outcome=AWAY)
        opened.append(is_open(line))

    assert opened == [True] * (DOWN_AFTER - 1) + [False]
    assert DOWN_MS - SOON < line.shut_ms("a") <= DOWN_MS
    assert line.gate("a")["closed_why"] == "unavailable: no connection"


def test_calls_that_fail_together_are_one_outage(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 2 * DOWN_AFTER)

    for claim in [line.claim(one) for one in line.admit()]:
        line.answer(claim, AWAY)

    assert DOWN_MS - SOON < line.shut_ms("a") <= DOWN_MS


@pytest.mark.parametrize("answer", [Accepted(), Rejected("never")], ids=["accepted", "rejected"])
def test_any_answer_in_between_starts_the_count_afresh(real_redis: Redis, answer: Accepted | Rejected) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 2 * DOWN_AFTER - 1)
    ids = line.admit()

    line.deliver(*ids[: DOWN_AFTER - 1], outcome=AWAY)
    line.deliver(ids[DOWN_AFTER - 1], outcome=answer)
    line.deliver(*ids[DOWN_AFTER:], outcome=Unclear("nonsense"))

    assert is_open(line)


def test_one_probe_at_a_time_tests_the_outage_and_each_that_fails_doubles_the_wait(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    go_down(line)
    waits = []
    for _ in range(8):
        waits.append(round(line.shut_ms("a") / 1000))
        assert line.admit() == []
        line.later(waits[-1] * 1000 + SOON)
        (probe,) = line.admit()
        assert line.admit() == []
        line.deliver(probe, outcome=AWAY)

    seconds = DOWN_MS // 1000
    assert waits == [min(seconds * 2**n, DOWN_MOST_MS // 1000) for n in range(8)]


def test_a_probe_burns_no_attempt(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    go_down(line)
    line.later(DOWN_MS + SOON)
    (probe,) = line.admit()

    line.deliver(probe, outcome=AWAY)

    assert line.record(probe).attempts == 0
    assert line.record("a0000").attempts == 1


def test_a_probe_that_succeeds_opens_the_gate_for_all_at_once(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", concurrency=8))
    go_down(line)
    line.later(DOWN_MS + SOON)
    (probe,) = line.admit()

    line.deliver(probe)

    assert len(line.admit()) == 8
    assert "probing" not in line.gate("a")


def test_what_passed_before_the_outage_was_seen_is_no_probe(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    ids = line.line_up("a", 10)
    assert line.admit() == ids
    line.deliver(*ids[:DOWN_AFTER], outcome=AWAY)
    line.later(DOWN_MS + SOON)

    assert [line.no_claim(one) for one in ids[DOWN_AFTER:]] == ["shut"] * (10 - DOWN_AFTER)

    (probe,) = line.admit()
    assert line.claim(probe).probe


@pytest.mark.parametrize("late", [Accepted(), Unclear("no answer in time")], ids=["accepted", "unclear"])
def test_what_passed_before_the_outage_was_seen_tells_nothing_of_its_end(
    real_redis: Redis, late: Accepted | Unclear
) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 20)
    *claims, last = [line.claim(one) for one in line.admit()]
    for claim in claims:
        line.answer(claim, AWAY)
    before = line.gate("a")
    line.later(DOWN_MS + SOON)

    line.answer(last, late)

    assert {name: line.gate("a")[name] for name in ("failures", "outages", "probing")} == {
        name: before[name] for name in ("failures", "outages", "probing")
    }
    assert is_open(line)
    assert len(line.admit()) == 1, "one probe at a time"


def test_a_probe_whose_worker_died_is_followed_by_another(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    go_down(line)
    line.later(DOWN_MS + SOON)
    (lost,) = line.admit()
    line.claim(lost)
    assert line.wait_ms is not None

    line.later(line.wait_ms + SOON)

    assert len(line.admit()) == 1


def test_the_outage_of_one_account_is_not_that_of_another(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"), account("b"))
    go_down(line)

    others = line.line_up("b", 3)

    assert line.admit() == others


def test_a_person_resumes_an_account_that_waits_for_its_provider(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", concurrency=6))
    go_down(line)

    assert line.ledger.resume("a") is True

    assert is_open(line)
    assert len(line.admit()) == 6
    assert line.ledger.resume("a") is False, "there is nothing more to resume"


def test_resuming_an_account_whose_provider_recovered_changes_nothing(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    go_down(line)
    line.later(DOWN_MS + SOON)
    line.deliver(*line.admit())

    assert line.ledger.resume("a") is False
