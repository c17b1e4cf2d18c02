"""Accepted invitations of an account whose provider will tell when they went out, and when to look for them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from worker.ledger import Ledger

DAY_MS = 86_400_000
LOOKED_AT = "invitations:looked_at"


@dataclass(frozen=True, slots=True)
class Sighting:
    """One accepted invitation; `natural` is the id that account, address and order give. `called_at`: when the first
    call began that may have reached the provider, None where one call did it all. Times in milliseconds."""

    id: str
    natural: str
    accepted_at: int
    called_at: int | None = None


def expecting(ledger: Ledger, accounts: Sequence[str]) -> list[str]:
    """The accounts of which something may have gone out by now. Raises redis.RedisError where Redis is away."""
    now = ledger.now()
    with ledger.redis.pipeline(transaction=False) as pipe:
        for account in accounts:
            pipe.zcount(_key(account), "-inf", now)
        counts = pipe.execute()
    return [account for account, due in zip(accounts, counts, strict=True) if due]


def overdue_ms(ledger: Ledger, accounts: Sequence[str]) -> dict[str, int]:
    """How long each account has something that may have gone out and was not looked for; 0 where it has nothing.
    Raises redis.RedisError where Redis is away."""
    now = ledger.now()
    with ledger.redis.pipeline(transaction=False) as pipe:
        for account in accounts:
            pipe.zrange(_key(account), 0, 0, withscores=True)
        answers = pipe.execute()
    return {
        account: max(0, now - int(first[0][1])) if first else 0
        for account, first in zip(accounts, answers, strict=True)
    }


def looked_at(ledger: Ledger, accounts: Sequence[str]) -> dict[str, int]:
    """When the last retrieval ended that went well (ms), of those accounts that had one. Raises redis.RedisError where
    Redis is away."""
    ends = ledger.redis.zmscore(LOOKED_AT, list(accounts)) if accounts else []
    return {account: int(at) for account, at in zip(accounts, ends, strict=True) if at}


def _key(account: str) -> str:
    return f"invitations:expected:{account}"


class Sightings:
    """Raises redis.RedisError where Redis is away."""

    def __init__(self, ledger: Ledger, account: str) -> None:
        self._ledger = ledger
        self._account = account
        self._key = _key(account)

    def due(self, most: int) -> list[Sighting]:
        """Those that may have gone out by now, the longest due first."""
        redis = self._ledger.redis
        ids = cast(list[str], redis.zrange(self._key, "-inf", self._ledger.now(), byscore=True, offset=0, num=most))
        with redis.pipeline(transaction=False) as pipe:
            for invitation in ids:
                pipe.hmget(f"invitations:record:{invitation}", "natural", "accepted_at", "unclear_since")
            answers = pipe.execute()
        return [
            Sighting(invitation, natural or invitation, int(accepted_at), int(since) if since else None)
            for invitation, (natural, accepted_at, since) in zip(ids, answers, strict=True)
            if accepted_at
        ]

    def expect_at(self, one: Sighting, at: int) -> None:
        """The provider means to send it at `at` (ms)."""
        self._ledger.redis.zadd(self._key, {one.id: at}, xx=True)

    def ended_well(self) -> None:
        """A retrieval looked for all that were due."""
        self._ledger.redis.zadd(LOOKED_AT, {self._account: self._ledger.now()})

    def look_again(self, missing: Iterable[Sighting], soonest_ms: int) -> None:
        """Those are not in the list: looked for again, at doubled intervals up to a day."""
        now = self._ledger.now()
        again = {one.id: now + min(DAY_MS, max(soonest_ms, now - one.accepted_at)) for one in missing}
        if again:
            self._ledger.redis.zadd(self._key, again, xx=True)
