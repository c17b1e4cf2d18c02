"""Delays in the units of the contract, and how long they are on the calendar."""

from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Unit = Literal["seconds", "minutes", "hours", "days", "weekdays"]
UNIT_MS = {"seconds": 1_000, "minutes": 60_000, "hours": 3_600_000, "days": 86_400_000}
WEEKEND = (5, 6)


class Delay(BaseModel):
    """How long after the job an invitation or a reminder is meant to leave."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    amount: int = Field(ge=0, le=100_000, description="how many of them")
    unit: Unit = Field(description="weekdays: Monday to Friday in the account's time zone")


def in_ms(delay: Delay, now: datetime) -> int:
    """Whole milliseconds from `now` (aware, in the account's time zone) until `delay` is over.

    Weekdays count Monday to Friday at the same time of the wall clock, whatever summer time does in between.
    """
    if delay.unit != "weekdays":
        return delay.amount * UNIT_MS[delay.unit]
    then = now + timedelta(days=_days_of_weekdays(now.weekday(), delay.amount))
    return round((then.astimezone(UTC) - now.astimezone(UTC)).total_seconds() * 1000)


def moment(delay: Delay, now: datetime) -> datetime:
    """When `delay` is over that begins `now` (aware, in the account's time zone), in UTC."""
    return now.astimezone(UTC) + timedelta(milliseconds=in_ms(delay, now))


def _days_of_weekdays(today: int, amount: int) -> int:
    """Calendar days that `amount` weekdays take from a day of the week (Monday is 0)."""
    weeks, rest = divmod(amount, 5)
    days = weeks * 7
    if weeks and not rest and today in WEEKEND:
        return days - (today - 4)
    for _ in range(rest):
        days += 1
        while (today + days) % 7 in WEEKEND:
            days += 1
    return days
