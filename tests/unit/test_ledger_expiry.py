"""What could not be delivered in the time it was given."""

from redis import Redis

from tasks.outcome import Unavailable
from tests.property.desk import DAY_MS, Desk, account

SOON = 1_000
MINUTE = 60_000


def test_what_could_not_be_delivered_in_its_time_fails_without_a_call(line: Desk) -> None:
    (one,) = line.line_up("a", 1, expires_ms=MINUTE)
    line.ledger.pause("a", "the shop moves")
    line.later(MINUTE + SOON)
    line.ledger.resume("a")

    assert line.admit() == [one]
    assert line.no_claim(one) == "expired"

    record = line.record(one)
    assert (record.state, record.attempts) == ("failed", 0)
    assert record.reason == "expired: it could not be delivered in the time it was given"
    assert line.shelves("a") == {"failed": [one]}


def test_what_was_tried_in_its_time_fails_with_the_last_reason(line: Desk) -> None:
    (one,) = line.line_up("a", 1, expires_ms=MINUTE)
    line.deliver(*line.admit(), outcome=Unavailable("no connection"))
    line.later(MINUTE + SOON)

    assert line.admit() == [one]
    assert line.no_claim(one) == "expired"

    assert line.record(one).reason == (
        "expired: it could not be delivered in the time it was given; the last: no connection"
    )


def test_expiry_counts_from_when_it_was_due(line: Desk) -> None:
    (one,) = line.line_up("a", 1, delay_ms=DAY_MS, expires_ms=MINUTE)
    line.later(DAY_MS + MINUTE // 2)

    line.deliver(*line.admit())

    assert line.record(one).state == "accepted"


def test_what_expires_costs_no_slot_of_the_limit(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit="1/hour"))
    old = line.line_up("a", 3, expires_ms=MINUTE)
    line.later(MINUTE + SOON)
    new = line.line_up("a", 1)

    for one in old:
        assert line.admit() == [one]
        assert line.no_claim(one) == "expired"

    assert line.admit() == new
    line.deliver(*new)
