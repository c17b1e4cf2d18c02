"""The bell wakes a pacer exactly when something comes due before its next look, and nothing keeps it awake."""

from collections.abc import Callable

import pytest
from redis import Redis

from tasks.outcome import Accepted, CredentialsRefused, Throttled, Unavailable
from tests.property.desk import LEASE_MS, Desk, account
from worker.claims import Claim

BELL = "invitations:bell"

Happens = Callable[[Desk], object]


def rings(redis: Redis) -> bool:
    return redis.llen(BELL) > 0


@pytest.fixture
def line(real_redis: Redis) -> Desk:
    """Account `a` with a line due in ten seconds, at which its pacer means to look; `b` with nothing."""
    desk = Desk(real_redis, account("a"), account("b"))
    desk.line_up("a", 2, delay_ms=10_000)
    desk.admit()
    assert desk.wait_ms is not None
    assert 9_000 < desk.wait_ms <= 10_000
    return desk


@pytest.mark.parametrize(
    "happens",
    [
        lambda desk: desk.line_up("a", 1),
        lambda desk: desk.line_up("b", 1),
        lambda desk: desk.line_up("b", 1, delay_ms=5_000),
        lambda desk: desk.ledger.resume("a"),
    ],
    ids=["same account", "other account", "before the next look", "resumed"],
)
def test_something_earlier_rings(line: Desk, real_redis: Redis, happens: Happens) -> None:
    happens(line)

    assert rings(real_redis)


@pytest.mark.parametrize(
    "happens",
    [
        lambda desk: desk.line_up("a", 1, delay_ms=20_000),
        lambda desk: desk.line_up("b", 1, delay_ms=20_000),
        lambda desk: desk.ledger.pause("a", "a person said so"),
        lambda desk: desk.ledger.cancel("a0000", "a person said so"),
        lambda desk: desk.configure(account("a"), account("b")),
        lambda desk: desk.ledger.accept([]),
    ],
    ids=["later", "later elsewhere", "paused", "cancelled", "configured", "nothing"],
)
def test_nothing_earlier_does_not_ring(line: Desk, real_redis: Redis, happens: Happens) -> None:
    happens(line)

    assert not rings(real_redis)


def test_a_thousand_that_come_in_ring_once(line: Desk, real_redis: Redis) -> None:
    line.line_up("b", 1_000)

    assert real_redis.llen(BELL) == 1


def test_the_first_of_all_rings(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    assert line.admit() == []
    assert line.wait_ms is None

    line.line_up("a", 1, delay_ms=1_000)

    assert rings(real_redis)


def test_a_call_that_ends_rings_where_its_gate_was_full(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", concurrency=1))
    line.line_up("a", 2)
    claim = line.claim(line.admit()[0])
    assert not rings(real_redis)

    line.answer(claim, Accepted())

    assert rings(real_redis)


def test_what_comes_to_a_full_gate_does_not_ring(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", concurrency=1))
    line.line_up("a", 2)
    line.claim(line.admit()[0])

    line.line_up("a", 5)

    assert not rings(real_redis)
    assert line.admit() == []
    assert line.wait_ms is not None
    assert line.wait_ms > LEASE_MS - 1_000


def test_a_call_that_ends_does_not_ring_where_nothing_waited_for_it(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 1)
    claim = line.claim(line.admit()[0])

    line.answer(claim, Accepted())

    assert not rings(real_redis)


def test_what_passes_no_more_for_want_of_threads_wakes_another_worker(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 5)

    assert len(line.admit(3)) == 3
    assert rings(real_redis)
    assert len(line.admit(3)) == 2
    assert not rings(real_redis)


def test_a_lease_that_ends_rings_no_bell_in_the_look_that_ends_it(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 1)
    line.claim(line.admit()[0])
    line.later(LEASE_MS)

    assert line.admit() == ["a0000"]

    assert not rings(real_redis)


@pytest.mark.parametrize(
    ("outcome", "most"),
    [(Throttled("slow down", 30_000), 4), (CredentialsRefused("401"), 4), (Unavailable("away"), 8)],
    ids=["throttled", "refused", "down"],
)
def test_a_gate_that_cannot_pass_anything_keeps_no_pacer_awake(
    real_redis: Redis, outcome: Throttled | CredentialsRefused | Unavailable, most: int
) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 20)
    for invitation in line.admit():
        claim = line.ledger.claim(invitation, LEASE_MS)
        if isinstance(claim, Claim):
            line.answer(claim, outcome)

    looks = 0
    while line.admit() == [] and line.wait_ms is not None and line.wait_ms < 1_000:
        looks += 1
        assert looks < most
        line.later(line.wait_ms)

    assert looks < most


@pytest.mark.parametrize("paused", [True, False], ids=["paused", "limited"])
def test_a_line_that_may_not_pass_is_looked_at_no_sooner_than_it_may(real_redis: Redis, paused: bool) -> None:
    line = Desk(real_redis, account("a", limit="1/hour"))
    line.line_up("a", 3)
    line.deliver(*line.admit())
    if paused:
        line.ledger.pause("a", "a person said so")
    assert line.admit() == []
    waits = line.wait_ms

    line.line_up("a", 5)

    assert not rings(real_redis)
    assert line.admit() == []
    assert line.wait_ms is not None
    assert waits is not None
    assert waits - 1_000 < line.wait_ms <= waits
