"""What the tests look through Redis with finds whatever is there, or their proofs prove nothing."""

import base64
import json
import time
from collections.abc import Callable
from secrets import token_hex

import pytest
from redis import Redis

from tests.support import Stopwatch, everything_in, wait_until
from worker.vault import Vault

PACKED_NEEDLE = Vault().seal("a needle among " + token_hex(40))
HIDES: dict[str, Callable[[Redis], object]] = {
    "the name of a key": lambda redis: redis.set("of-needle", 1),
    "a string": lambda redis: redis.set("key", "a needle b"),
    "bytes that are no text": lambda redis: redis.set("key", b"\xff\x00needle\xfe"),
    "the field of a hash": lambda redis: redis.hset("key", "needle", "value"),
    "the value of a hash": lambda redis: redis.hset("key", "field", "needle"),
    "a list": lambda redis: redis.rpush("key", "a", "needle"),
    "a set": lambda redis: redis.sadd("key", "needle"),
    "a sorted set": lambda redis: redis.zadd("key", {"needle": 1}),
    "a stream": lambda redis: redis.xadd("key", {"field": "needle"}),
    "a consumer group": lambda redis: redis.xgroup_create("key", "needle", mkstream=True),
    "a message of Celery": lambda redis: redis.rpush(
        "key", json.dumps({"body": base64.b64encode(b'[["a needle"], {}]').decode()})
    ),
    "the job of a record": lambda redis: redis.hset(
        "key", mapping={"job": "", "job1": PACKED_NEEDLE[:64], "job2": PACKED_NEEDLE[64:]}
    ),
    "a packed text": lambda redis: redis.rpush("key", PACKED_NEEDLE),
}


@pytest.mark.parametrize("place", HIDES)
def test_it_is_found_wherever_it_stands(real_redis: Redis, place: str) -> None:
    assert "needle" not in everything_in(real_redis)

    HIDES[place](real_redis)

    assert "needle" in everything_in(real_redis)


def test_a_stopwatch_counts_waiting() -> None:
    began = time.monotonic()
    with Stopwatch() as watch:
        wait_until(lambda: watch.seconds > 0.05, seconds=20, what="50 ms counted")

    assert 0.05 < watch.seconds <= time.monotonic() - began


def test_a_stopwatch_counts_what_the_block_computes() -> None:
    with Stopwatch() as watch:
        ends = time.thread_time() + 0.05
        while time.thread_time() < ends:
            pass

    assert watch.seconds >= 0.05
