"""The bell ends a wait when it rings, and at the moment that was known."""

from time import monotonic

import pytest
from redis import Redis

from worker.bell import BELL, Bell

LONG, A_MOMENT = 60.0, 0.05


def test_a_ring_ends_the_wait(real_redis: Redis) -> None:
    real_redis.lpush(BELL, 1)

    Bell(real_redis).wait(LONG)

    assert not real_redis.exists(BELL)


@pytest.mark.timeout(30)
def test_it_rings_at_the_moment_that_was_known(real_redis: Redis) -> None:
    began = monotonic()

    Bell(real_redis).wait_until_due(A_MOMENT, LONG)

    assert monotonic() - began >= A_MOMENT
    assert not real_redis.exists(BELL)


def test_who_is_woken_before_leaves_no_ring_behind(real_redis: Redis) -> None:
    real_redis.lpush(BELL, 1)

    Bell(real_redis).wait_until_due(A_MOMENT, LONG)

    real_redis.blpop(["nothing"], timeout=4 * A_MOMENT)
    assert not real_redis.exists(BELL)
