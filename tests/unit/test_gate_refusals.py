"""What a gate does when the provider says "too many": it closes for everybody, and it learns."""

import time

import pytest
from redis import Redis

from tasks.outcome import Accepted, Limits, Throttled, Unavailable
from tests.property.desk import MANY, Desk, account

MINUTE = 60_000
HOUR = 3_600_000
SOON = 500


def refuse(line: Desk, retry_ms: int | None) -> None:
    """Lets the provider refuse the first call that passes."""
    line.deliver(line.admit()[0], outcome=Throttled("slow down", retry_ms))


@pytest.mark.parametrize(("jitter", "most_ms"), [(0, 0), (0.5, 12), (1, 24)])
def test_nothing_passes_earlier_than_asked_and_little_later(real_redis: Redis, jitter: float, most_ms: int) -> None:
    asked_ms = 200
    line = Desk(real_redis, account("a"))
    (one,) = line.line_up("a", 1)
    claim = line.claim(*line.admit())
    before = line.ledger.now()
    line.answer(claim, Throttled("slow down", asked_ms), jitter=jitter)
    after = line.ledger.now()

    while not (admitted := line.admit()):
        time.sleep((line.wait_ms or 0) / 1000)
    passed = line.claim(one).now

    assert admitted == [one]
    assert passed >= before + asked_ms + most_ms
    assert int(line.gate("a")["closed_until"]) <= after + asked_ms + most_ms + 1


def test_the_gate_closes_for_all_its_accounts_and_no_other_gate_does(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit_group="g"), account("b", limit_group="g"), account("c"))
    line.line_up("a", 1)
    refuse(line, retry_ms=30_000)

    line.line_up("b", 1)
    others = line.line_up("c", 1)

    assert line.admit() == others
    line.later(30_000 + SOON)
    assert sorted(line.admit()) == ["a0000", "b0000"]


def test_who_finds_the_gate_closed_goes_back_to_the_old_place_and_gives_the_slot_back(
    real_redis: Redis,
) -> None:
    line = Desk(real_redis, account("a", limit="3/hour"))
    ids = line.line_up("a", 5)
    assert line.admit() == ids[:3]
    line.deliver(ids[0], outcome=Throttled("slow down", 30_000))

    assert [line.no_claim(one) for one in ids[1:3]] == ["shut", "shut"]

    assert line.line("a") == ids
    assert line.admit() == []
    line.later(30_000 + SOON)
    # The refused call keeps its slot of the hour; the two that were never made do not.
    assert line.admit() == ids[:2]


def test_a_refused_call_is_no_attempt(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 1)
    for _ in range(3):
        refuse(line, retry_ms=1_000)
        line.later(1_000 + SOON)

    record = line.record("a0000")

    assert (record.state, record.attempts, record.throttled) == ("queued", 0, 3)


def test_a_shorter_wish_does_not_open_a_gate_earlier(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 2)
    one, other = (line.claim(invitation) for invitation in line.admit())

    line.answer(one, Throttled("slow down", 60_000))
    line.answer(other, Throttled("slow down", 1_000))

    assert 60_000 - SOON < line.shut_ms("a") <= 60_000


def test_without_a_time_the_gate_closes_longer_each_time_up_to_a_minute(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 1)
    closed = []
    for _ in range(8):
        refuse(line, retry_ms=None)
        closed.append(round(line.shut_ms("a") / 1000))
        line.later(closed[-1] * 1000 + SOON)

    line.deliver(*line.admit())
    line.line_up("a", 1)
    refuse(line, retry_ms=None)

    assert closed == [1, 2, 4, 8, 16, 32, 60, 60]
    assert round(line.shut_ms("a") / 1000) == 1, "an answer in between starts afresh"


@pytest.mark.parametrize("retry_ms", [0, 500])
def test_a_time_that_is_over_at_once_is_none_when_it_is_asked_for_again(real_redis: Redis, retry_ms: int) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 1)
    closed = []
    for _ in range(8):
        refuse(line, retry_ms=retry_ms)
        closed.append(max(line.shut_ms("a"), 0))
        line.later(closed[-1] + SOON)

    assert closed[0] <= retry_ms
    assert [round(ms / 1000) for ms in closed[1:]] == [2, 4, 8, 16, 32, 60, 60]


def test_calls_that_were_refused_together_are_one_refusal(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 5)
    claims = [line.claim(invitation) for invitation in line.admit()]

    for claim in claims:
        line.answer(claim, Throttled("slow down", None))

    assert 1_000 - SOON < line.shut_ms("a") <= 1_000


def limit_now(line: Desk) -> tuple[int, int] | None:
    fields = line.gate("a")
    return (int(fields["taught_count"]), int(fields["taught_period"])) if "taught_count" in fields else None


def pass_calls(line: Desk, count: int, *, apart_ms: int) -> None:
    for _ in range(count):
        line.line_up("a", 1)
        line.deliver(*line.admit())
        line.later(apart_ms)


def test_refusals_alone_teach_a_limit(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    pass_calls(line, 20, apart_ms=1_000)
    line.line_up("a", 60)

    refuse(line, retry_ms=40_000)

    known = limit_now(line)
    assert known is not None
    assert known[0] == 20
    assert MINUTE <= known[1] <= MINUTE + 2_000, "twenty passed between the first answer and the time to wait for"


def test_far_fewer_passes_before_the_next_refusal_teach_a_rate(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    pass_calls(line, 20, apart_ms=10)
    line.line_up("a", 1)
    refuse(line, retry_ms=1_000)
    line.later(1_000 + SOON)
    line.deliver(*line.admit())
    pass_calls(line, 2, apart_ms=1_000)
    line.line_up("a", 1)

    refuse(line, retry_ms=1_000)

    known = limit_now(line)
    assert known is not None
    assert known[0] == 3
    assert 3_000 <= known[1] <= 5_000, "from the one time it opened to the next"


def test_what_one_refusal_taught_is_tried_by_few_at_once(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", concurrency=MANY))
    pass_calls(line, 20, apart_ms=10)
    line.line_up("a", 1)
    refuse(line, retry_ms=60_000)
    line.line_up("a", 50)
    line.later(2 * MINUTE)

    at_once = []
    while passed := line.admit():
        at_once.append(len(passed))
        line.deliver(*passed)

    assert at_once == [1] * 6 + [2, 2, 2, 3, 3, 2], "one more with every six answers, and twenty in all"
    line.later(2 * MINUTE)
    assert len(line.admit()) == 20, "as many as were taught passed: it is no longer in doubt"


def test_one_refusal_of_a_whole_configured_window_is_stray_and_a_second_lowers_it_by_one_at_least(
    real_redis: Redis,
) -> None:
    line = Desk(real_redis, account("a", limit="20/minute", concurrency=MANY))
    for taught in (None, (19, MINUTE)):
        pass_calls(line, 19, apart_ms=10)
        line.line_up("a", 1)

        refuse(line, retry_ms=1_000)

        assert limit_now(line) == taught
        line.later(MINUTE + SOON)
        line.deliver(*line.admit())
        line.later(MINUTE + SOON)


def test_what_was_taught_is_tried_again_by_one_more_and_then_by_twice_as_many(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", concurrency=MANY))
    pass_calls(line, 40, apart_ms=500)
    line.line_up("a", 1)
    refuse(line, retry_ms=40_000)
    line.later(40_000 + SOON)
    line.deliver(*line.admit())
    counts = []
    for _ in range(19):
        line.later(MINUTE + 2_000)
        pass_calls(line, 2, apart_ms=0)
        counts.append((limit_now(line) or (0, 0))[0])

    assert counts == [40] * 7 + [41] * 8 + [43, 47, 56, 78], "by a call, then by 5, 10, 20 and 40 per cent"


def test_a_try_that_is_refused_goes_back_and_waits_eight_times_as_long(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit="60/minute", concurrency=MANY))
    pass_calls(line, 30, apart_ms=100)
    line.line_up("a", 1)
    refuse(line, retry_ms=57_000)
    taught = limit_now(line)
    line.later(MINUTE + SOON)
    line.deliver(*line.admit())
    line.later(MINUTE + SOON)
    pass_calls(line, 1, apart_ms=0)
    tried = limit_now(line)
    line.line_up("a", 1)
    refuse(line, retry_ms=1_000)
    counts = [limit_now(line)]
    for _ in range(9):
        line.later(MINUTE + SOON)
        pass_calls(line, 1, apart_ms=0)
        counts.append(limit_now(line))

    assert (taught, tried) == ((30, MINUTE), (31, MINUTE))
    assert counts == [(30, MINUTE)] * 8 + [(31, MINUTE)] * 2


def test_the_limit_that_grew_is_used_at_once(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit="40/hour"))
    pass_calls(line, 2, apart_ms=10)
    line.line_up("a", 1)
    refuse(line, retry_ms=HOUR)
    line.later(HOUR + SOON)
    ids = line.line_up("a", 5)
    for _ in range(2):
        line.deliver(*line.admit())
    assert line.admit() == [], "two an hour"
    line.later(HOUR + SOON)
    first, second = line.admit()
    calls = [line.claim(first), line.claim(second)]
    assert line.admit() == []

    line.answer(calls[0], Accepted())

    assert line.admit() == ids[3:4], "three an hour"


def test_a_configured_limit_that_is_right_recovers_from_a_stray_refusal(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit="60/minute", concurrency=MANY))
    pass_calls(line, 5, apart_ms=1_000)
    line.line_up("a", 1)
    refuse(line, retry_ms=10_000)
    line.later(10_000 + SOON)
    lowered = limit_now(line)
    minutes = 0
    while limit_now(line):
        line.later(MINUTE + SOON)
        pass_calls(line, 1, apart_ms=0)
        minutes += 1

    assert lowered is not None
    assert 15 <= lowered[0] < 54, "a quarter of what is configured at least, a tenth less at most"
    assert lowered[1] == MINUTE
    assert minutes <= 45


def test_a_configured_limit_that_is_wrong_is_lowered_to_what_passed(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit="100/minute", concurrency=MANY))
    pass_calls(line, 40, apart_ms=100)
    line.line_up("a", 1)

    refuse(line, retry_ms=56_000)

    known = limit_now(line)
    assert known is not None
    assert known == (40, MINUTE)


def test_a_refusal_before_any_answer_teaches_nothing(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 1)

    refuse(line, retry_ms=30_000)

    assert limit_now(line) is None
    assert 30_000 - SOON < line.shut_ms("a") <= 30_000


def test_headers_of_a_refusal_count_too(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    ids = line.line_up("a", 9)
    line.deliver(*line.admit(1), outcome=Throttled("slow down", 1_000), limits=Limits(3, 0, MINUTE))
    line.later(1_000 + SOON)
    assert line.admit() == []

    line.later(20_000)

    assert line.admit() == ids[:1], "nothing is left: one call each third of a minute"


def test_a_retry_after_stays_in_force_under_an_outage_that_a_person_ends(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    ids = line.line_up("a", 2)
    one, other = (line.claim(invitation) for invitation in line.admit())
    line.answer(one, Unavailable("away"), down_after=1, down_ms=300_000)
    line.answer(other, Throttled("slow down", 60_000))
    assert 300_000 - SOON < line.shut_ms("a") <= 300_000

    assert line.ledger.resume("a") is True

    assert 60_000 - SOON < line.shut_ms("a") <= 60_000
    assert line.admit() == []
    line.later(60_000)
    assert sorted(line.admit()) == ids


def test_a_lease_that_ends_while_the_gate_is_closed_puts_its_invitation_back_in_time(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    lost, refused = line.line_up("a", 2)
    line.admit()
    line.claim(lost)
    line.deliver(refused, outcome=Throttled("slow down", HOUR))
    line.admit()
    assert line.wait_ms is not None
    assert line.wait_ms <= MINUTE

    line.later(line.wait_ms)

    assert line.admit() == []
    assert line.record(lost).state == "queued"
