"""Delays on the calendar."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.delay import Delay, in_ms, moment

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
WEEK = [datetime(2026, 11, 16 + day, 9, 30, tzinfo=AMSTERDAM) for day in range(7)]


def then(now: datetime, amount: int, unit: str) -> datetime:
    delay = Delay.model_validate({"amount": amount, "unit": unit})
    return (now.astimezone(UTC) + timedelta(milliseconds=in_ms(delay, now))).astimezone(AMSTERDAM)


@pytest.mark.parametrize(
    ("unit", "ms"), [("seconds", 1_000), ("minutes", 60_000), ("hours", 3_600_000), ("days", 86_400_000)]
)
def test_a_unit_is_so_many_milliseconds(unit: str, ms: int) -> None:
    assert in_ms(Delay.model_validate({"amount": 3, "unit": unit}), WEEK[0]) == 3 * ms


@pytest.mark.parametrize(
    ("today", "amount", "expected"),
    [
        (0, 0, 16),
        (0, 1, 17),
        (4, 1, 23),
        (4, 0, 20),
        (5, 1, 23),
        (6, 1, 23),
        (3, 2, 23),
        (0, 5, 23),
        (5, 5, 27),
        (6, 5, 27),
        (4, 6, 30),
        (2, 3, 23),
    ],
)
def test_weekdays_count_monday_to_friday(today: int, amount: int, expected: int) -> None:
    assert then(WEEK[today], amount, "weekdays") == datetime(2026, 11, expected, 9, 30, tzinfo=AMSTERDAM)


def test_weekdays_keep_the_wall_clock_when_summer_time_ends() -> None:
    friday = datetime(2026, 10, 23, 9, 30, tzinfo=AMSTERDAM)

    assert then(friday, 1, "weekdays") == datetime(2026, 10, 26, 9, 30, tzinfo=AMSTERDAM)
    assert in_ms(Delay(amount=1, unit="weekdays"), friday) == (3 * 24 + 1) * 3_600_000


def test_the_moment_at_which_a_delay_ends_is_told_in_utc() -> None:
    friday = datetime(2026, 10, 23, 9, 30, tzinfo=AMSTERDAM)

    ends = moment(Delay(amount=1, unit="weekdays"), friday)

    assert (ends, ends.tzinfo) == (datetime(2026, 10, 26, 8, 30, tzinfo=UTC), UTC)


@given(st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)), st.integers(1, 600))
def test_weekdays_end_on_a_weekday_and_pass_exactly_so_many(start: datetime, amount: int) -> None:
    now = start.replace(tzinfo=UTC).astimezone(AMSTERDAM)
    end = (now + timedelta(milliseconds=in_ms(Delay(amount=amount, unit="weekdays"), now.astimezone(UTC)))).date()
    days = (now.astimezone(UTC).date() + timedelta(days=n) for n in range(1, 3 * amount + 8))
    passed = [day for day in days if day.weekday() < 5][:amount]

    assert end in {passed[-1], passed[-1] + timedelta(days=1)}
