"""Calls beside the deliveries pass the same gate: pages of a provider's list take their place in the limit."""

import pytest
from redis import Redis

from tasks.decision import gate_lesson
from tasks.outcome import Accepted, CredentialsRefused, Throttled, Unavailable
from tests.property.desk import MANY, Desk, account

MINUTE = 60_000
OWED = 30 * MINUTE
GUARD = 210
SOON = 500


def test_such_a_call_takes_a_place_in_the_limit(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit="3/minute"))
    ids = line.line_up("a", 5)

    assert line.ledger.spend("a", "a", 0) == 0

    assert line.admit() == ids[:2]


def test_it_is_told_when_to_ask_again_where_there_is_no_room(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit="3/minute"))
    line.line_up("a", 3)
    line.deliver(*line.admit())

    wait = line.ledger.spend("a", "a", 0)

    assert MINUTE - SOON < wait <= MINUTE + GUARD
    line.later(wait)
    assert line.ledger.spend("a", "a", 0) == 0


@pytest.mark.parametrize("limit", [None, "60/minute"])
def test_it_does_not_pass_a_closed_gate_nor_a_paused_account(real_redis: Redis, limit: str | None) -> None:
    line = Desk(real_redis, account("a", limit=limit), account("b", limit=limit))
    line.line_up("a", 1)
    line.deliver(*line.admit(), outcome=Throttled("slow down", 30_000))
    line.ledger.pause("b", "a person said so")

    assert 30_000 - SOON < line.ledger.spend("a", "a", 0) <= 30_000
    assert line.ledger.spend("b", "b", 0) == -1


def test_a_place_is_kept_for_it_while_deliveries_go_on(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit="6/minute", concurrency=MANY))
    line.line_up("a", 100)
    for _ in range(6):
        line.deliver(*line.admit(1))
        line.later(10_000)
    line.deliver(*line.admit())
    assert line.ledger.spend("a", "a", OWED) > 0

    delivered = 0
    for _ in range(30):
        line.later(10_000 + GUARD)
        passed = line.admit()
        delivered += len(passed)
        line.deliver(*passed)

    assert line.ledger.spend("a", "a", OWED) == 0, "after five minutes of deliveries its place is free"
    assert 24 <= delivered <= 30, "which go on at five a minute or six"


def test_the_kept_place_is_given_to_a_delivery_when_nobody_came_for_it(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit="2/minute"))
    ids = line.line_up("a", 5)
    line.deliver(*line.admit())
    line.ledger.spend("a", "a", 2 * MINUTE)

    line.later(MINUTE + GUARD)
    assert line.admit() == ids[2:3]
    line.deliver(ids[2])
    assert line.admit() == [], "the other is kept"
    line.later(2 * MINUTE)
    assert line.admit() == ids[3:5]


def test_what_was_kept_and_used_is_kept_no_longer(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit="3/minute"))
    ids = line.line_up("a", 6)
    line.deliver(*line.admit())
    wait = line.ledger.spend("a", "a", OWED)
    line.later(wait)
    assert line.ledger.spend("a", "a", OWED) == 0
    # The other two calls began some milliseconds after the first.
    line.later(SOON)

    assert line.admit() == ids[3:5]


def test_where_the_window_has_one_place_deliveries_wait_one_window_and_no_longer(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit="1/minute"))
    ids = line.line_up("a", 2)
    line.deliver(*line.admit())

    wait = line.ledger.spend("a", "a", OWED)

    line.later(wait)
    assert line.admit() == []
    assert line.wait_ms is not None
    assert MINUTE - SOON < line.wait_ms <= MINUTE + GUARD
    line.later(line.wait_ms)
    assert line.admit() == ids[1:]


def test_without_a_limit_it_goes_at_once_and_takes_nothing(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", concurrency=MANY))
    ids = line.line_up("a", 50)

    assert [line.ledger.spend("a", "a", OWED) for _ in range(5)] == [0] * 5

    assert line.admit() == ids


@pytest.mark.parametrize(
    ("outcome", "shut_ms"),
    [(Throttled("slow down", 30_000), 30_000), (Unavailable("away"), 5_000), (Accepted(), 0)],
    ids=["throttled", "down", "accepted"],
)
def test_the_gate_learns_from_it_as_from_a_delivery(
    real_redis: Redis, outcome: Throttled | Unavailable | Accepted, shut_ms: int
) -> None:
    line = Desk(real_redis, account("a"))

    line.ledger.tell("a", "a", lesson(outcome))

    assert max(0, shut_ms - SOON) <= max(0, line.shut_ms("a")) <= shut_ms


def test_credentials_that_it_finds_refused_pause_the_account(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 1)

    line.ledger.tell("a", "a", lesson(CredentialsRefused("401")))

    assert line.admit() == []
    assert line.ledger.spend("a", "a", 0) == -1


def lesson(outcome: Throttled | Unavailable | Accepted | CredentialsRefused) -> dict[str, object]:
    """What the gate is told; the first failure is an outage, the first refusal a wrong credential."""
    said = gate_lesson(outcome, 0.0)
    return said | {name: 1 for name in ("down_after", "refused_after") if name in said}
