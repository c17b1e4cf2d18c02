"""How many calls are on their way at a gate whose limit nothing has shown yet to be right."""

from redis import Redis

from tasks.outcome import Accepted, Throttled
from tests.property.desk import Desk, account

HOUR = 3_600_000
SOON = 500
CONCURRENCY = 20


def busy(redis: Redis, limit: str | None, *, slow_ms: int = 0) -> Desk:
    """A line of many, of which one was answered after so long."""
    line = Desk(redis, account("a", limit=limit, concurrency=CONCURRENCY))
    line.line_up("a", 400)
    claim = line.claim(line.admit(1)[0])
    line.later(slow_ms)
    line.answer(claim, Accepted())
    return line


def test_half_may_run_until_as_many_as_the_limit_were_answered(real_redis: Redis) -> None:
    line = busy(real_redis, "60/hour")

    for _ in range(5):
        running = line.admit()
        assert len(running) == CONCURRENCY // 2
        line.deliver(*running)

    line.deliver(*line.admit(9))
    line.later(HOUR + SOON)
    line.deliver(*line.admit())
    assert len(line.admit()) == CONCURRENCY // 2, "nobody called for an hour"


def test_after_a_refusal_one_goes_at_a_time_and_more_with_every_few_answers(real_redis: Redis) -> None:
    line = busy(real_redis, "60/hour")
    for _ in range(4):
        line.deliver(*line.admit())
    line.deliver(line.admit()[0], outcome=Throttled("slow down", HOUR))
    line.later(HOUR + SOON)

    running = []
    for _ in range(14):
        admitted = line.admit()
        running.append(len(admitted))
        line.deliver(*admitted)

    assert running == [1] * 6 + [2] * 3 + [3] * 2 + [4] * 2 + [5]


def test_all_may_run_where_half_would_take_a_good_part_of_the_window(real_redis: Redis) -> None:
    line = busy(real_redis, "60/minute", slow_ms=1_000)

    assert len(line.admit()) == CONCURRENCY


def test_all_may_run_where_no_limit_is_known(real_redis: Redis) -> None:
    assert len(busy(real_redis, None).admit()) == CONCURRENCY


def test_all_of_a_limit_that_is_no_more_than_half_may_run(real_redis: Redis) -> None:
    assert len(busy(real_redis, f"{CONCURRENCY // 2}/hour").admit()) == CONCURRENCY // 2 - 1
