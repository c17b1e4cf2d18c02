"""One account at the benchmark's provider: what it answers, and what it notes. Exact, and knows no clock of its own."""

from dataclasses import dataclass

from ops.bench.terms import NS_PER_MS, Terms
from ops.simulator.limits import NS_PER_SECOND, Allowance, Window, new_window

HEARD_MS = 100
"""From when a refusal leaves until its client can have stopped: a call that comes until then was under way."""
CREATED, REGISTERED, REFUSED = 201, 422, 429
_UNLIMITED = Allowance(0, None)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status; what is left in the window, None where there is no limit; seconds of Retry-After for a refusal."""

    status: int
    left: int | None = None
    retry_after: int | None = None


class Account:
    """Counts and times are of the calls since its terms were set. Times in nanoseconds of any one clock.

    `accepted` holds when each accepted call arrived, by the address that it invites.
    """

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.accepted: dict[str, int] = {}
        self.calls = self.refused = self.inside = self.again = 0
        self.first_ns = 0
        self._window = _window(terms)
        self._heard_ns = self._closed_until_ns = 0
        self._other_ns = 0

    def call(self, email: str, at_ns: int) -> Answer:
        """Answers an invite call of which the first byte arrived at `at_ns`; times never run back."""
        self.first_ns = self.first_ns or at_ns
        self.calls += 1
        if self._heard_ns < at_ns < self._closed_until_ns:
            self.inside += 1
        allowance = self._take(at_ns)
        left = allowance.remaining if self._window else None
        if allowance.wait_ns is not None:
            return self._refuse(at_ns, allowance.wait_ns)
        if email in self.accepted:
            self.again += 1
            return Answer(REGISTERED, left)
        self.accepted[email] = at_ns
        return Answer(CREATED, left)

    def stats(self) -> dict[str, int]:
        """Counts, and the nanoseconds of the first call and of the last that was accepted."""
        return {
            "calls": self.calls,
            "accepted": len(self.accepted),
            "refused": self.refused,
            "inside": self.inside,
            "again": self.again,
            "first_ns": self.first_ns,
            "last_ns": next(reversed(self.accepted.values()), 0),
        }

    def _take(self, at_ns: int) -> Allowance:
        if self._window is None:
            return _UNLIMITED
        if self.terms.shared:
            self._let_other_in(self._window, at_ns)
        return self._window.take(at_ns)

    def _let_other_in(self, window: Window, until_ns: int) -> None:
        """The other client's calls until then, each at its own time."""
        assert self.terms.count is not None
        every = 2 * self.terms.period_ms * NS_PER_MS // self.terms.count
        self._other_ns = self._other_ns or until_ns
        while self._other_ns <= until_ns:
            window.take(self._other_ns)
            self._other_ns += every

    def _refuse(self, at_ns: int, wait_ns: int) -> Answer:
        self.refused += 1
        seconds = -(-wait_ns // NS_PER_SECOND)
        leaves_ns = at_ns + self.terms.latency_ms * NS_PER_MS
        if at_ns >= self._closed_until_ns:
            self._heard_ns = leaves_ns + HEARD_MS * NS_PER_MS
        self._closed_until_ns = max(self._closed_until_ns, leaves_ns + seconds * NS_PER_SECOND)
        return Answer(REFUSED, 0, seconds)


def _window(terms: Terms) -> Window | None:
    return new_window(terms.kind, terms.rate) if terms.rate else None
