"""Which accounts are in use: of thousands few, and the metrics look at those alone.

The ledger's steps note an account where something is lined up for it, at a call beside the deliveries and at a pause.
"""

from collections.abc import Iterable
from typing import cast

from worker.ledger import Ledger

KEY = "invitations:active"
KEPT_MS = 3_600_000


def active(ledger: Ledger) -> dict[str, int]:
    """When each account was noted (ms). Raises redis.RedisError where Redis is away."""
    noted = cast(list[tuple[str, float]], ledger.redis.zrange(KEY, 0, -1, withscores=True))
    return {name: int(at) for name, at in noted}


def keep_active(ledger: Ledger, noted: dict[str, int], busy: Iterable[str], now: int) -> None:
    """Notes afresh those that are busy at `now` (ms), and forgets who is not since an hour: a busy one is not noted
    again by what is lined up behind what waits. Raises redis.RedisError where Redis is away."""
    if min(noted.values(), default=now) > now - KEPT_MS / 2:
        return
    ledger.note_active([name for name in busy if noted.get(name, 0) <= now - KEPT_MS / 2])
    ledger.redis.zremrangebyscore(KEY, "-inf", now - KEPT_MS)
