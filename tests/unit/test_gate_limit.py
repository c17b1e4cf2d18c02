"""How many calls a gate lets pass: the window, the burst, and what the provider's headers say."""

import time

import pytest
from redis import Redis

from config.units import Rate
from tasks.decision import Step
from tasks.outcome import Accepted, Limits
from tasks.waiting import LEFT
from tests.property.desk import MANY, Desk, account

MINUTE = 60_000
# A slot is free so long after its window (worker/lua/limits.lua), and a test takes some milliseconds itself.
GUARD = 210
SOON = 500


def desk(redis: Redis, limit: str | None, **fields: object) -> Desk:
    return Desk(redis, account("a", limit=limit, **{"concurrency": MANY, **fields}))


def test_a_window_lets_its_count_pass_and_then_nothing_until_it_has_slid(real_redis: Redis) -> None:
    line = desk(real_redis, "3/minute")
    ids = line.line_up("a", 10)

    assert line.admit() == ids[:3]
    line.deliver(*ids[:3])
    assert line.admit() == []
    assert line.wait_ms is not None
    assert MINUTE - SOON < line.wait_ms <= MINUTE + GUARD
    line.later(MINUTE - SOON * 2)
    assert line.admit() == []
    line.later(SOON * 2 + GUARD)
    assert line.admit() == ids[3:6]


def test_the_window_slides_and_does_not_jump(real_redis: Redis) -> None:
    line = desk(real_redis, "3/minute")
    first = line.line_up("a", 1)
    assert line.admit() == first
    line.deliver(*first)
    line.later(MINUTE // 2)
    rest = line.line_up("a", 5)

    assert line.admit() == rest[:2]
    line.deliver(*rest[:2])
    line.later(MINUTE // 2 + GUARD)
    assert line.admit() == rest[2:3], "only the slot of the first call is free"
    line.deliver(rest[2])
    line.later(MINUTE // 2 + GUARD)
    assert line.admit() == rest[3:5]


def test_no_window_of_real_time_ever_holds_more_than_its_count(real_redis: Redis) -> None:
    count, period_ms = 4, 80
    line = Desk(real_redis, account("a", limit=Rate(count, period_ms), concurrency=MANY))
    line.line_up("a", 30)
    calls: list[int] = []

    while len(calls) < 30:
        time.sleep((line.wait_ms or 0) / 1000)
        for invitation in line.admit():
            claim = line.claim(invitation)
            calls.append(claim.now)
            line.answer(claim, Accepted())

    gaps = [later - earlier for earlier, later in zip(calls, calls[count:], strict=False)]
    assert min(gaps) > period_ms


def test_a_call_counts_from_when_it_begins(real_redis: Redis) -> None:
    line = desk(real_redis, "1/minute")
    first, second = line.line_up("a", 2)
    line.admit()
    line.later(50_000)
    line.deliver(first)

    line.later(15_000)
    assert line.admit() == []
    line.later(45_000 + GUARD)
    assert line.admit() == [second]


def test_who_waited_in_the_queue_until_the_slot_was_gone_needs_a_new_one(real_redis: Redis) -> None:
    line = desk(real_redis, "1/second")
    late, punctual = line.line_up("a", 2)
    assert line.admit() == [late]
    line.later(1_000 + GUARD)
    assert line.admit() == [punctual]
    line.deliver(punctual)

    assert line.no_claim(late) == "shut"
    assert line.line("a") == [late]
    line.later(1_000 + GUARD)
    assert line.admit() == [late]
    assert line.claim(late).attempts == 0


def test_who_waited_in_the_queue_while_nobody_else_called_goes_and_counts(real_redis: Redis) -> None:
    line = desk(real_redis, "1/second")
    late, other = line.line_up("a", 2)
    line.admit()
    line.later(10_000)

    line.deliver(late)

    assert line.admit() == []
    assert line.wait_ms is not None
    assert line.wait_ms > 1_000 - SOON
    line.later(1_000 + GUARD)
    assert line.admit() == [other]


@pytest.mark.parametrize(
    ("limit", "burst", "passes", "window_ms"),
    [
        ("60/minute", None, 60, 60_000),
        ("60/minute", 3, 3, 3_000),
        ("60/minute", 1, 1, 1_000),
        ("60/minute", 60, 60, 60_000),
        ("60/minute", 100, 60, 60_000),
        ("7/minute", 2, 2, 17_143),
    ],
)
def test_a_burst_keeps_the_rate_and_shortens_the_window(
    real_redis: Redis, limit: str, burst: int | None, passes: int, window_ms: int
) -> None:
    line = desk(real_redis, limit, burst=burst)
    ids = line.line_up("a", 130)

    admitted = line.admit()

    assert admitted == ids[:passes]
    line.admit()
    assert line.wait_ms is not None
    assert window_ms - SOON < line.wait_ms <= window_ms + GUARD


def test_without_a_limit_everything_that_is_due_passes(real_redis: Redis) -> None:
    line = desk(real_redis, None)
    ids = line.line_up("a", 150)

    assert line.admit() == ids


def test_a_limit_that_was_lowered_waits_for_the_calls_that_are_over_it(real_redis: Redis) -> None:
    line = desk(real_redis, "4/minute")
    ids = line.line_up("a", 6)
    for invitation in ids[:4]:
        assert line.admit(1) == [invitation]
        line.deliver(invitation)
        line.later(10_000)

    line.configure(account("a", limit="2/minute", concurrency=MANY))

    # The calls began 40, 30, 20 and 10 s ago: two are left in the window when the third is a minute old.
    assert line.admit() == []
    assert line.wait_ms is not None
    assert 40_000 - SOON < line.wait_ms <= 40_000 + GUARD


def test_a_limit_that_was_raised_opens_at_once(real_redis: Redis) -> None:
    line = desk(real_redis, "1/hour")
    ids = line.line_up("a", 3)
    line.deliver(*line.admit())
    assert line.admit() == []

    line.configure(account("a", limit="100/hour", concurrency=MANY))

    assert line.admit() == ids[1:]


def test_a_slot_that_was_not_used_is_free_at_once(real_redis: Redis) -> None:
    line = desk(real_redis, "1/hour")
    first, second = line.line_up("a", 2)
    assert line.admit() == [first]
    assert line.admit() == []

    line.ledger.cancel(first, "a person said so")

    assert line.admit() == [second]


@pytest.mark.parametrize(
    ("configured", "said", "in_force"),
    [
        ("60/minute", Limits(30, None, MINUTE), 30),
        ("10/minute", Limits(30, None, MINUTE), 10),
        (None, Limits(20, None, MINUTE), 20),
        ("1000/hour", Limits(60, None, MINUTE), 1000),
        ("60/minute", Limits(1200, None, 3_600_000), 1200),
    ],
)
def test_the_slowest_of_what_is_configured_and_said_is_in_force(
    real_redis: Redis, configured: str | None, said: Limits, in_force: int
) -> None:
    line = desk(real_redis, configured, concurrency=4_000)
    line.line_up("a", 1_300)
    line.deliver(*line.admit(1), limits=said)

    assert len(line.admit(2_000)) == in_force - 1, "the call that was told of the limit counts in it"


def test_a_limit_that_the_provider_raises_is_used_at_once(real_redis: Redis) -> None:
    line = desk(real_redis, None)
    ids = line.line_up("a", 4)
    slow, other = line.admit(2)
    line.deliver(slow, limits=Limits(1, None, 3_600_000))
    line.configure(account("a", concurrency=MANY))
    claim = line.claim(other)
    assert line.admit() == []

    line.answer(claim, Accepted(), limits=Limits(500, None, MINUTE))

    assert line.admit() == ids[2:]


def test_no_more_pass_than_the_provider_says_are_left(real_redis: Redis) -> None:
    line = desk(real_redis, None)
    ids = line.line_up("a", 10)
    line.deliver(*line.admit(1), limits=Limits(60, 2, MINUTE))

    assert line.admit() == ids[1:3]


def test_calls_that_run_may_not_be_in_what_is_left_and_are_taken_off(real_redis: Redis) -> None:
    line = desk(real_redis, None)
    ids = line.line_up("a", 10)
    first, *_ = line.admit(3)

    line.deliver(first, limits=Limits(60, 5, MINUTE))

    assert line.admit() == ids[3:6]


def test_nothing_left_spaces_the_calls_so_that_a_window_would_fit(real_redis: Redis) -> None:
    line = desk(real_redis, None)
    ids = line.line_up("a", 10)
    line.deliver(*line.admit(1), limits=Limits(6, 0, MINUTE))
    line.later(5_000)

    assert line.admit() == []
    line.later(5_000 + GUARD)
    assert line.admit() == ids[1:2], "one call in ten seconds is six a minute"
    line.deliver(ids[1], limits=Limits(6, 0, MINUTE))
    assert line.admit() == []


def test_something_left_again_ends_the_spacing(real_redis: Redis) -> None:
    line = desk(real_redis, "6/minute")
    ids = line.line_up("a", 10)
    line.deliver(*line.admit(1), limits=Limits(6, 0, MINUTE))
    line.later(10_000)
    probe = line.admit()
    assert probe == ids[1:2]

    line.deliver(*probe, limits=Limits(6, 5, MINUTE))

    assert line.admit() == ids[2:6], "six a minute, of which the window holds two"


def test_a_place_that_no_call_used_is_free_for_another(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit="2/minute"))
    ids = line.line_up("a", 4)
    called, left = (line.claim(one) for one in line.admit())
    assert line.admit() == []

    line.answer(called, Accepted())
    line.ledger.settle(left.id, left.token, Step("queued", LEFT, uncalled=True).as_dict())

    assert line.admit() == [ids[1]]
    assert real_redis.zcard("invitations:passed:a") == 2
