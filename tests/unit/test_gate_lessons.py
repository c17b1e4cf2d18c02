"""What a refusal does not teach, and what Redis forgets is told again."""

import pytest
from redis import Redis

from tasks.outcome import Throttled
from tests.property.desk import MANY, Desk, account
from worker.entries import Entry

MINUTE = 60_000
HOUR = 3_600_000
SOON = 100


def taught(line: Desk) -> tuple[int, int] | None:
    fields = line.gate("a")
    return (int(fields["taught_count"]), int(fields["taught_period"])) if "taught_count" in fields else None


def throttle(line: Desk, retry_ms: int, *, maintenance: bool = False) -> None:
    line.line_up("a", 1)
    line.deliver(line.admit()[0], outcome=Throttled("slow down", retry_ms, maintenance))


def deliver(line: Desk, count: int) -> None:
    line.line_up("a", count)
    line.deliver(*line.admit())


def test_idle_hours_say_nothing_of_a_limit(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    deliver(line, 5)
    line.later(20 * HOUR)

    throttle(line, 30_000)

    assert taught(line) is None


def test_maintenance_closes_the_gate_and_teaches_nothing(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    deliver(line, 5)

    throttle(line, HOUR, maintenance=True)

    assert taught(line) is None
    assert line.shut_ms("a") > HOUR - SOON


def test_what_one_refusal_teaches_is_never_below_a_call_a_minute(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    deliver(line, 1)

    throttle(line, HOUR)

    known = taught(line)
    assert known is not None
    assert known[0] >= known[1] / MINUTE


def test_what_is_said_in_headers_bounds_what_refusals_teach(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit="60/minute"))
    deliver(line, 1)

    throttle(line, HOUR)

    assert taught(line) == (3, MINUTE)


def test_a_redis_that_lost_everything_is_told_again_what_is_configured(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    real_redis.flushdb()

    line.ledger.accept([Entry("one", "a", "a", "1", "job", 0, HOUR)])
    found = [one for _ in range(2) for one in line.ledger.admit(10, MINUTE)[1]]

    assert found == ["one"]


@pytest.mark.parametrize("trickle", [0, 1, 6])
def test_a_trickle_before_a_burst_says_nothing_of_the_window(real_redis: Redis, trickle: int) -> None:
    line = Desk(real_redis, account("a"))
    for _ in range(trickle):
        deliver(line, 1)
        line.later(5_000)
    deliver(line, 10)

    throttle(line, 1_000)

    assert taught(line) == (10, 1_000)


def test_what_came_evenly_before_a_refusal_all_belongs_to_its_window(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    for _ in range(10):
        deliver(line, 2)
        line.later(1_000)

    throttle(line, 50_000)

    assert taught(line) == (20, MINUTE)


def test_one_refusal_of_a_whole_configured_window_now_and_then_lowers_nothing(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit="20/minute", concurrency=MANY))
    for _ in range(3):
        deliver(line, 19)
        throttle(line, 1_000)
        for _ in range(21):
            line.later(MINUTE + SOON)
            line.deliver(*line.admit())

    assert taught(line) is None


@pytest.mark.parametrize(("limit", "known"), [("20/minute", (10, MINUTE)), ("30/minute", None), (None, None)])
def test_what_refusals_taught_is_forgotten_where_another_limit_is_configured(
    real_redis: Redis, limit: str | None, known: tuple[int, int] | None
) -> None:
    line = Desk(real_redis, account("a", limit="20/minute"))
    deliver(line, 10)
    throttle(line, MINUTE)
    assert taught(line) == (10, MINUTE)

    line.configure(account("a", limit=limit))

    assert taught(line) == known
