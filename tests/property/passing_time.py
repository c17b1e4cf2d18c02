"""Lets time pass in a ledger without waiting for it: every time that stands in it is moved into the past.

The scripts read Redis's own clock and nothing else, so this is as good as the time itself having passed.
"""

from typing import Any, cast

from redis import Redis

P = "invitations:"
SETS = ("ready", "line", "inflight", "passed", "state", "expected", "turns")
# A turn below this is a place in an order, and above the other no time that ever comes.
TURN_TIMES = 1e12, 9e15
HASHES = ("gate", "pause", "record")
TIMES = ("_at", "_until", "_since")
ALSO_TIMES = ("at", "passed")


def pass_time(redis: Redis, ms: int) -> None:
    """Moves every line, lease, gate, pause, record and shelf `ms` milliseconds into the past."""
    names = cast(list[str], redis.keys(P + "*"))
    sets = [name for name in names if _kind(name) in SETS]
    hashes = [name for name in names if _kind(name) in HASHES]
    with redis.pipeline(transaction=False) as pipe:
        for name in sets:
            if _kind(name) == "turns":
                pipe.zrangebyscore(name, TURN_TIMES[0], f"({TURN_TIMES[1]}")
            else:
                pipe.zrange(name, 0, -1)
        for name in hashes:
            pipe.hkeys(name)
        answers = pipe.execute()
        for name, members in zip(sets, answers[: len(sets)], strict=True):
            for member in members:
                pipe.zincrby(name, -ms, member)
        for name, fields in zip(hashes, answers[len(sets) :], strict=True):
            _move(pipe, name, fields, ms)
        pipe.execute()


def _move(pipe: Any, name: str, fields: list[str], ms: int) -> None:
    for field in fields:
        # An account may stand behind the name: `passed:shop_nl`.
        plain = field.partition(":")[0]
        if plain.endswith(TIMES) or plain in ALSO_TIMES:
            pipe.hincrby(name, field, -ms)


def _kind(name: str) -> str:
    return name.split(":")[1]
