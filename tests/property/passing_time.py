"""Lets time pass in a ledger without waiting for it: every time that stands in it is moved into the past.

The scripts read Redis's own clock and nothing else, so this is as good as the time itself having passed.
"""

from typing import Any, cast

from redis import Redis

P = "invitations:"
SETS = ("line", "inflight", "passed", "state", "expected")
HASHES = {
    "gate": (
        "look_at", "closed_until", "asked_until", "owed_until", "opened_at", "answered_at", "taught_at",
        "passed_at",
    ),
    "pause": ("at", "probe_at"),
    "record": ("created_at", "due_at", "expires_at", "accepted_at", "sends_at", "sent_at", "finished_at"),
}


def pass_time(redis: Redis, ms: int) -> None:
    """Moves every line, lease, gate, pause, record and shelf `ms` milliseconds into the past."""
    names = cast(list[str], redis.keys(P + "*"))
    sets = [name for name in names if name == f"{P}ready" or _kind(name) in SETS]
    hashes = [name for name in names if _kind(name) in HASHES]
    with redis.pipeline(transaction=False) as pipe:
        for name in sets:
            pipe.zrange(name, 0, -1)
        for name in hashes:
            pipe.hmget(name, HASHES[_kind(name)])
        answers = pipe.execute()
        for name, members in zip(sets, answers[: len(sets)], strict=True):
            for member in members:
                pipe.zincrby(name, -ms, member)
        for name, values in zip(hashes, answers[len(sets) :], strict=True):
            _shift_fields(pipe, name, values, ms)
        pipe.execute()


def _shift_fields(pipe: Any, name: str, values: list[str | None], ms: int) -> None:
    known = {field: value for field, value in zip(HASHES[_kind(name)], values, strict=True) if value}
    for field in known:
        pipe.hincrby(name, field, -ms)


def _kind(name: str) -> str:
    return name.removeprefix(P).partition(":")[0]
