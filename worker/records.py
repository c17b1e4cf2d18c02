"""Reads single invitations and lists of them. Times are milliseconds since the epoch, None where there is none."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import chain, islice, product
from math import inf
from operator import itemgetter
from typing import Any, cast

from redis import Redis

from worker.job_text import FIELDS, joined
from worker.overview import FINISHED

STATES = ("queued", "delivering", *FINISHED)
PAGE = 500
LOOKED_AT = 20_000
BY_CHANGE = tuple(state for state in FINISHED if state != "accepted")
"""The states whose invitations stand in the order in which they came to them."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of state, and why."""

    at: int
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """One invitation. `job` is sealed (see worker.vault) and stays out of every repr; `reply` names the queue and the
    task that are told of its end. `first_due_at`: when it was due before any call, since it was replayed last."""

    id: str
    account: str
    order: str
    state: str
    reason: str
    attempts: int
    throttled: int
    created_at: int
    due_at: int | None
    accepted_at: int | None
    sends_at: int | None
    sent_at: int | None
    provider_reference: str | None
    forgotten_at: int | None
    history: tuple[Change, ...]
    faults: tuple[dict[str, str], ...] = ()
    job: str = field(default="", repr=False)
    reply: str = ""
    first_due_at: int | None = None

    @property
    def changed_at(self) -> int:
        """When its state changed last."""
        return self.history[-1].at if self.history else self.created_at


@dataclass(frozen=True, slots=True)
class Query:
    """What a list is to hold: `limit` at most, that changed in [`since`, `until`) (ms), and that come behind `after`,
    the change (ms) and the id of the last that is known; `order` is the whole number, `reason` a part in any case."""

    limit: int
    since: int | None = None
    until: int | None = None
    after: tuple[int, str] | None = None
    order: str | None = None
    reason: str | None = None

    def takes(self, record: Record) -> bool:
        changed = record.changed_at
        return (
            (self.since is None or changed >= self.since)
            and (self.until is None or changed < self.until)
            and (self.after is None or _by_change(record) < self.after)
            and (self.order is None or record.order == self.order)
            and (self.reason is None or self.reason.lower() in record.reason.lower())
        )

    def scores(self, state: str) -> tuple[float, float]:
        """The lowest and the highest score with which such a record can stand on the shelf of `state`."""
        if state in ("queued", "delivering"):
            return -inf, inf
        low = -inf if self.since is None else self.since
        if state not in BY_CHANGE:
            # Accepted stands by the time at which it goes out, which is never before it was accepted.
            return low, inf
        return low, min(inf if self.until is None else self.until, self.after[0] if self.after else inf)


class Records:
    """What stands in the ledger, for people to read. Raises redis.RedisError where Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def get(self, invitation: str) -> Record | None:
        raw = cast(dict[str, str], self._redis.hgetall(f"invitations:record:{invitation}"))
        return _record(invitation, raw) if raw else None

    def ids(self, account: str, state: str, *, newest_first: bool = True) -> Iterator[str]:
        """The ids of an account in a state; of a finished state the last that came to it first, else by due time."""
        key = _shelf(account, state)
        start = 0
        while page := cast(list[str], self._redis.zrange(key, start, start + PAGE - 1, desc=newest_first)):
            yield from page
            start += PAGE

    def ended(self, account: str, state: str, since: int | None = None, before: int | None = None) -> Iterator[str]:
        """The ids that came to a final state from `since` on and before `before` (ms), the oldest first."""
        key = _shelf(account, state)
        start = 0 if since is None else self._redis.zcount(key, "-inf", f"({since}")
        end = self._redis.zcard(key) if before is None else self._redis.zcount(key, "-inf", f"({before}")
        for first in range(int(start), int(end), PAGE):
            yield from cast(list[str], self._redis.zrange(key, first, min(first + PAGE, int(end)) - 1))

    def many(self, ids: list[str]) -> list[Record]:
        """The records of these ids that are still there, in one round trip."""
        with self._redis.pipeline(transaction=False) as pipe:
            for invitation in ids:
                pipe.hgetall(f"invitations:record:{invitation}")
            answers = pipe.execute()
        return [_record(invitation, raw) for invitation, raw in zip(ids, answers, strict=True) if raw]

    def latest(self, accounts: Sequence[str], states: Sequence[str], limit: int) -> list[Record]:
        """At most `limit` records of these accounts in these states, the one that changed last first.

        Of those that wait only the `limit` that are due last are looked at: nothing else orders a line.
        """
        # What passed the gate and was not claimed is still queued.
        shelves = dict.fromkeys((*states, "delivering") if "queued" in states else states)
        with self._redis.pipeline(transaction=False) as pipe:
            for state in shelves:
                for account in accounts:
                    pipe.zrange(_shelf(account, state), 0, limit - 1, desc=True, withscores=True)
            answers = iter(pipe.execute())
        candidates: dict[str, None] = {}
        for _ in shelves:
            shelf = chain.from_iterable(islice(answers, len(accounts)))
            newest = nlargest(limit, shelf, key=itemgetter(1))
            candidates |= dict.fromkeys(invitation for invitation, _ in newest)
        found = [record for record in self.many(list(candidates)) if record.state in states]
        return nlargest(limit, found, key=lambda record: record.changed_at)

    def search(self, accounts: Sequence[str], states: Sequence[str], query: Query) -> list[Record]:
        """The records of these accounts in these states that are as the query asks, the one that changed last first.

        What waits and what is accepted stands in the order of its due time: where neither an order nor a reason is
        asked for, `LOOKED_AT` of those that are due last are looked at, and no others.
        """
        # What passed the gate and was not claimed is still queued.
        shelves = dict.fromkeys((*states, "delivering") if "queued" in states else states)
        found: list[Record] = []
        for state, key, first, last in self._ranges(list(product(shelves, accounts)), query):
            these = (record for record in self._matching(key, first, last, query) if record.state in states)
            newest = islice(these, query.limit) if state in BY_CHANGE else nlargest(query.limit, these, key=_by_change)
            found = nlargest(query.limit, {record.id: record for record in (*found, *newest)}.values(), key=_by_change)
        return found

    def _ranges(self, shelves: Sequence[tuple[str, str]], query: Query) -> list[tuple[str, str, int, int]]:
        """State, key and ranks (highest score first) of each shelf on which the query may find anything."""
        scores = {state: query.scores(state) for state, _ in shelves}
        with self._redis.pipeline(transaction=False) as pipe:
            for state, account in shelves:
                low, high = scores[state]
                pipe.zcount(_shelf(account, state), f"({high}", "+inf")
                pipe.zcount(_shelf(account, state), low, "+inf")
            counts = iter(pipe.execute())
        most = max(query.limit, LOOKED_AT // len(shelves)) if shelves else 0
        all_of_them = query.order is not None or query.reason is not None
        ranges = []
        for (state, account), first, last in zip(shelves, counts, counts, strict=False):
            end = last if all_of_them or state in BY_CHANGE else min(last, first + most)
            if first < end:
                ranges.append((state, _shelf(account, state), first, end))
        return ranges

    def _matching(self, key: str, first: int, last: int, query: Query) -> Iterator[Record]:
        for start in range(first, last, PAGE):
            page = cast(list[str], self._redis.zrange(key, start, min(start + PAGE, last) - 1, desc=True))
            yield from filter(query.takes, self.many(page))

    def count(self, account: str, state: str) -> int:
        """How many of an account are in a state."""
        return int(self._redis.zcard(_shelf(account, state)))

    def accounts(self) -> list[str]:
        """Every account that the ledger knows, also those no longer configured; `-` holds jobs of no known account."""
        return sorted(cast(list[str], self._redis.hkeys("invitations:gates")))


def _by_change(record: Record) -> tuple[int, str]:
    return record.changed_at, record.id


def _shelf(account: str, state: str) -> str:
    waits_in = {"queued": f"invitations:line:{account}", "delivering": f"invitations:inflight:{account}"}
    return waits_in.get(state, f"invitations:state:{account}:{state}")


def _record(invitation: str, raw: dict[str, str]) -> Record:
    def time(name: str) -> int | None:
        return int(raw[name]) if raw.get(name) else None

    changes: list[dict[str, Any]] = [json.loads(line) for line in raw.get("history", "").split("\n") if line]
    return Record(
        id=invitation,
        account=raw["account"],
        order=raw["order"],
        state=raw["state"],
        reason=raw.get("reason", ""),
        attempts=int(raw["attempts"]),
        throttled=int(raw["throttled"]),
        created_at=int(raw["created_at"]),
        due_at=time("due_at"),
        accepted_at=time("accepted_at"),
        sends_at=time("sends_at"),
        sent_at=time("sent_at"),
        provider_reference=raw.get("reference") or None,
        forgotten_at=time("forgotten_at"),
        history=tuple(Change(int(change["at"]), change["state"], change["reason"]) for change in changes)
        or (Change(int(raw["created_at"]), raw["state"], ""),),
        faults=tuple(json.loads(raw.get("faults", "[]"))),
        job=joined(raw.get(name) for name in FIELDS),
        reply=raw.get("reply", ""),
        first_due_at=expires_at - int(raw["expires_after"]) if (expires_at := time("expires_at")) else None,
    )
