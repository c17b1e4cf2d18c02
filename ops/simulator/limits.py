"""How many calls an account may make: the rate and the three kinds of window that providers count it in.

Times are nanoseconds as integers: floating point loses slots at the edges of a window.
"""

import re
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple, Protocol

WindowKind = Literal["fixed", "sliding", "bucket"]

NS_PER_SECOND = 1_000_000_000

_UNIT_NS = {
    "ms": NS_PER_SECOND // 1000,
    "s": NS_PER_SECOND,
    "m": 60 * NS_PER_SECOND,
    "h": 3600 * NS_PER_SECOND,
    "second": NS_PER_SECOND,
    "minute": 60 * NS_PER_SECOND,
    "hour": 3600 * NS_PER_SECOND,
}
_RATE = re.compile(r"(\d{1,9})/(?:(second|minute|hour)|(\d{1,6}(?:\.\d{1,3})?)(ms|s|m|h))")


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` calls in every `period_ns` nanoseconds."""

    count: int
    period_ns: int

    @property
    def per_minute(self) -> int:
        """Calls a minute, whole and at least 1: what `X-RateLimit-Limit` states (wemasy-invite.txt)."""
        return max(1, self.count * 60 * NS_PER_SECOND // self.period_ns)


@lru_cache(maxsize=1000)
def parse_rate(text: str) -> Rate:
    """Read "60/minute", "20/second", "1000/hour", or a count per any duration: "60/6s", "5/250ms", "90/1.5m".

    Raises ValueError, saying which forms are understood.
    """
    match = _RATE.fullmatch(text)
    if match is not None:
        count, word, amount, unit = match.groups()
        period_ns = _UNIT_NS[word] if word else round(float(amount) * _UNIT_NS[unit])
        if int(count) > 0 and period_ns > 0:
            return Rate(int(count), period_ns)
    raise ValueError(
        f'expected a count of at least 1 per time, like "60/minute", "20/second", "1000/hour" or "60/6s", got {text!r}'
    )


class Allowance(NamedTuple):
    """The answer to one call: `wait_ns` is None when it may pass, else the time until the next one may."""

    remaining: int
    wait_ns: int | None


class Window(Protocol):
    """Counts the calls of one account. A call that is turned away spends nothing."""

    def take(self, now_ns: int) -> Allowance:
        """Spend one call at `now_ns`, if there is one to spend."""
        ...


class FixedWindow:
    """Starts at the first call in it and forgets everything at its end, as Laravel's limiter does."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._used = 0
        self._ends_ns = 0

    def take(self, now_ns: int) -> Allowance:
        if now_ns >= self._ends_ns:
            self._used, self._ends_ns = 0, now_ns + self._rate.period_ns
        if self._used >= self._rate.count:
            return Allowance(0, self._ends_ns - now_ns)
        self._used += 1
        return Allowance(self._rate.count - self._used, None)


class SlidingWindow:
    """No period, wherever it begins, holds more than the rate's count."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._calls: deque[int] = deque()

    def take(self, now_ns: int) -> Allowance:
        while self._calls and self._calls[0] + self._rate.period_ns <= now_ns:
            self._calls.popleft()
        if len(self._calls) >= self._rate.count:
            return Allowance(0, self._calls[0] + self._rate.period_ns - now_ns)
        self._calls.append(now_ns)
        return Allowance(self._rate.count - len(self._calls), None)


class TokenBucket:
    """Full at first, holds the rate's count, and is refilled evenly (GCRA: one number is the whole state)."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._interval_ns = max(1, rate.period_ns // rate.count)
        self._capacity_ns = self._interval_ns * rate.count
        self._empty_until_ns = 0

    def take(self, now_ns: int) -> Allowance:
        owed_ns = max(self._empty_until_ns - now_ns, 0) + self._interval_ns
        if owed_ns > self._capacity_ns:
            return Allowance(0, owed_ns - self._capacity_ns)
        self._empty_until_ns = now_ns + owed_ns
        return Allowance((self._capacity_ns - owed_ns) // self._interval_ns, None)


_WINDOWS: dict[WindowKind, type[FixedWindow] | type[SlidingWindow] | type[TokenBucket]] = {
    "fixed": FixedWindow,
    "sliding": SlidingWindow,
    "bucket": TokenBucket,
}


def new_window(kind: WindowKind, rate: Rate) -> Window:
    """A window of the given kind in which nothing has been spent."""
    return _WINDOWS[kind](rate)
