"""How a worker takes Celery's messages, and what becomes of those that it took and did not acknowledge."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from kombu import Connection
from redis import Redis
from redis.exceptions import ReadOnlyError

from config.celery_values import INBOX, QUEUE
from tasks.unaccepted import UNACKED, UNACKED_INDEX, unaccepted
from worker.messages import TAKE, take_safely
from worker.unacked import LastingQoS
from worker.unreadable import LONGEST

SOUND = json.dumps(
    {
        "body": "W10=",
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"task": "invitations.send", "id": "one"},
        "properties": {
            "body_encoding": "base64",
            "delivery_tag": "one",
            "delivery_info": {"exchange": "", "routing_key": QUEUE},
            "delivery_mode": 2,
        },
    }
)
LUA_ALONE_READS = {
    "a line's end in a text": SOUND.replace("W10=", "W1\n0="),
    "a number in hex": SOUND.replace("2}", "0x2}"),
    "a number with zeros before": SOUND.replace("2}", "002}"),
    "a number with a plus": SOUND.replace("2}", "+2}"),
    "a number that ends in a point": SOUND.replace("2}", "2.}"),
    "a number that is none": SOUND.replace("2}", "nan}"),
    "a number of 5,000 digits": SOUND.replace("2}", "2" * 5_000 + "}"),
}


@pytest.fixture
def channel(redis_url: str, real_redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """As a worker has it."""
    for module in ("messages", "unacked", "unreadable"):
        monkeypatch.setattr(f"worker.{module}.redis", lambda: real_redis)
    with Connection(redis_url) as connection:
        channel: Any = connection.default_channel
        channel.QoS = LastingQoS
        take_safely(channel)
        yield channel


def take(redis: Redis, message: str, queue: str = QUEUE) -> list[list[str]]:
    """By a worker that died long ago."""
    redis.lpush(queue, message)
    taken: Any = redis.eval(TAKE, 4, UNACKED_INDEX, UNACKED, INBOX, queue, "1", 5, LONGEST)
    return list(taken)


def test_a_channel_that_comes_again_takes_its_messages_as_before(redis_url: str) -> None:
    with Connection(redis_url) as connection:
        channel = connection.default_channel
        take_safely(channel)
        safe = type(channel)

        take_safely(channel)

        assert type(channel) is safe


@pytest.mark.parametrize("queue", [QUEUE, f"{QUEUE}\x06\x163"])
@pytest.mark.parametrize("exchange", ["", "celery", QUEUE, None])
@pytest.mark.parametrize("key", ["celery", QUEUE])
def test_what_nobody_acknowledged_goes_back_whatever_its_client_says_of_routing(
    channel: Any, real_redis: Redis, queue: str, exchange: str | None, key: str
) -> None:
    message = json.loads(SOUND)
    message["properties"]["delivery_info"] = {"exchange": exchange, "routing_key": key}
    ((_, tag, _),) = take(real_redis, json.dumps(message), queue)
    assert tag == "one"

    channel.qos.restore_visible(interval=1)

    assert (real_redis.llen(QUEUE), real_redis.hlen(UNACKED), real_redis.zcard(UNACKED_INDEX)) == (1, 0, 0)


@pytest.mark.parametrize("name", LUA_ALONE_READS)
def test_a_note_that_cannot_be_read_is_kept_and_stands_before_no_other(
    channel: Any, real_redis: Redis, name: str
) -> None:
    take(real_redis, SOUND.replace('"one"', '"earlier"'))
    take(real_redis, LUA_ALONE_READS[name])
    real_redis.zincrby(UNACKED_INDEX, -1, "earlier")

    channel.qos.restore_visible(interval=1)

    assert (real_redis.llen(QUEUE), real_redis.hlen(UNACKED), real_redis.zcard(UNACKED_INDEX)) == (1, 0, 0)
    entries: Any = real_redis.xrange(INBOX)
    ((_, fields),) = entries
    assert fields["fault"] == "no_message"
    assert LUA_ALONE_READS[name] in fields["job"]


def test_a_note_that_cannot_be_read_is_searched_as_it_stands(real_redis: Redis) -> None:
    take(real_redis, LUA_ALONE_READS["a number in hex"])

    (one,) = unaccepted(real_redis)

    assert (one.key, one.member, one.job) == (UNACKED, "one", None)
    assert LUA_ALONE_READS["a number in hex"] in one.text


def test_what_could_not_be_kept_is_not_acknowledged(
    channel: Any, real_redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = LUA_ALONE_READS["a number in hex"]
    take(real_redis, message)
    with monkeypatch.context() as patched:
        patched.setattr("worker.unreadable.KEEP", "return redis.error_reply('READONLY it is')")
        with pytest.raises(ReadOnlyError):
            real_redis.eval("return redis.error_reply('READONLY it is')", 0)

        channel._deliver_one(message, "one", QUEUE)

        assert (real_redis.hlen(UNACKED), real_redis.xlen(INBOX)) == (1, 0)

    channel._deliver_one(message, "one", QUEUE)

    assert (real_redis.hlen(UNACKED), real_redis.xlen(INBOX)) == (0, 1)
