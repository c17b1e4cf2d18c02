"""Rates such as "60/minute" and durations such as "3d", as people write them in the accounts file."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator

MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"\s*(\d+)\s*([smhd])\s*")
_RATE = re.compile(r"\s*(\d+)\s*/\s*(\d*)\s*(s|m|h|d|second|minute|hour|day)\s*")


@dataclass(frozen=True, slots=True)
class Rate:
    """How many calls a provider allows: `count` in every `period_ms` milliseconds."""

    count: int
    period_ms: int

    def __str__(self) -> str:
        return f"{self.count}/{self.period_ms} ms"


def parse_duration(value: Any) -> int:
    """Milliseconds of "90s", "15m", "12h" or "3d". Raises ValueError for anything else."""
    match = _DURATION.fullmatch(str(value))
    if not match or not int(match[1]):
        raise ValueError('expected a duration such as "90s", "15m", "12h" or "3d"')
    return int(match[1]) * MS[match[2]]


def parse_rate(value: Any) -> Rate:
    """The rate of "60/minute", "20/second", "1000/hour" or "60/6s". Raises ValueError for anything else."""
    if isinstance(value, Rate):
        return value
    match = _RATE.fullmatch(str(value))
    if not match or not int(match[1]) or match[2] == "0":
        raise ValueError('expected a rate such as "60/minute", "20/second", "1000/hour" or "60/6s"')
    return Rate(int(match[1]), int(match[2] or 1) * MS[match[3][0]])


Duration = Annotated[int, BeforeValidator(parse_duration)]
RateField = Annotated[Rate, BeforeValidator(parse_rate)]
