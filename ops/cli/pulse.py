"""What the events of the last minute tell: how fast each account goes, and what failed last."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from redis import Redis

from tasks.waiting import NO_FAULT
from worker.records import Records

EVENTS = "invitations:events"
WINDOW_MS = 60_000
MOST = 10_000
"""Events that one look reads. Where there are more, what is told is of the time that those cover."""
FAILURES = 5
FAILED = ("rejected", "failed", "refused")
RATE_LIMITED = ("the provider answered 429", "the provider answered 503 and asked to wait")


@dataclass(frozen=True, slots=True)
class Event:
    """One change of state. `at` in milliseconds."""

    at: int
    id: str
    account: str
    state: str
    reason: str

    @property
    def rate_limited(self) -> bool:
        """The provider refused the call for its limit: it looked at nothing."""
        return self.state == "queued" and self.reason.startswith(RATE_LIMITED)

    @property
    def failed(self) -> bool:
        """The invitation failed, or its call did and it waits to be tried again."""
        return self.state in FAILED or (
            self.state == "queued" and self.reason not in NO_FAULT and not self.rate_limited
        )


class Pulse:
    """Follows the events from look to look. Raises redis.RedisError where Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._seen: deque[Event] = deque()
        self._last = ""
        self._since = 0
        self._failures: dict[str, Event] = {}

    def look(self, now: int, accounts: Sequence[str]) -> None:
        """Reads what is new at `now` (ms). The first look finds the last failures of these accounts, too."""
        if not self._last:
            records = Records(self._redis).latest(accounts, FAILED, FAILURES)
            self._note(Event(one.changed_at, one.id, one.account, one.state, one.reason) for one in reversed(records))
        begins = now - WINDOW_MS
        floor = f"({self._last}" if self._last else str(begins)
        answer: Any = self._redis.xrevrange(EVENTS, min=floor, count=MOST)
        page = cast(list[tuple[str, dict[str, str]]], answer)
        fresh = [_event(fields) for _, fields in reversed(page)]
        if len(fresh) == MOST:
            self._seen.clear()
            self._since = fresh[0].at
        self._last = page[0][0] if page else self._last or f"{begins}-0"
        self._seen.extend(fresh)
        self._note(event for event in fresh if event.failed)
        while self._seen and self._seen[0].at < begins:
            self._seen.popleft()
        self._since = max(self._since, begins)

    def accepted_a_minute(self, now: int) -> Counter[str]:
        """By account, how many the provider took in the last minute, or would take at the pace of what was read."""
        counted = Counter(event.account for event in self._seen if event.state == "accepted")
        scale = WINDOW_MS / max(1_000, now - self._since)
        return Counter({account: round(count * scale) for account, count in counted.items()})

    def rate_limited(self) -> Counter[str]:
        """By account, how many calls the provider refused for its limit."""
        return Counter(event.account for event in self._seen if event.rate_limited)

    def failures(self) -> list[Event]:
        """The last failures, of each invitation the last, the newest first."""
        return list(reversed(self._failures.values()))

    def _note(self, failures: Any) -> None:
        for event in failures:
            self._failures.pop(event.id, None)
            self._failures[event.id] = event
        for invitation in list(self._failures)[:-FAILURES]:
            del self._failures[invitation]


def _event(fields: dict[str, str]) -> Event:
    told = {name: fields.get(name, "") for name in ("id", "account", "state", "reason")}
    return Event(at=int(fields.get("at", 0)), **told)
