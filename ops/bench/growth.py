"""What a delivery costs Redis as invitations and accounts grow: the real scripts, called by the ledger, and no worker.

The figures are Redis's own: the time that it spent in the scripts (INFO commandstats, wall-clock microseconds within
Redis) and the commands that they ran, for each invitation that was taken and settled. Commands are the same
wherever it is measured; the time is the machine's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from time import monotonic
from typing import Any

from redis import Redis

from config.accounts import BaseAccount, WemasyAccount
from worker.claims import Claim
from worker.entries import Entry
from worker.ledger import Ledger

DAY_MS = 86_400_000
BATCH = 2_000
ROOM = 20
LEASE_MS = 60_000
WAITING = (1_000, 100_000, 1_000_000)
ACCOUNTS = (1, 30, 1_000)
_TAKES = count()


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one delivery, with so many waiting for so many accounts; and Redis's memory for each that waits."""

    waiting: int
    accounts: int
    microseconds: float
    commands: float
    bytes_waiting: float


def cost(redis: Redis, waiting: int, accounts: int, *, deliveries: int = 2_000, job: str = "job") -> Cost:
    """Measures on a Redis that holds nothing else: EMPTIES ITS DATABASE before. All that wait are due, and belong to
    all accounts alike."""
    redis.flushdb()
    ledger = Ledger(redis)
    ledger.configure(_accounts(accounts))
    before = _memory(redis)
    _line_up(ledger, waiting, accounts, job)
    each = (_memory(redis) - before) / waiting
    deliver(ledger, 2 * ROOM)
    redis.config_resetstat()
    delivered = deliver(ledger, deliveries)
    seen: dict[str, Any] = redis.info("commandstats")
    calls = sum(one["calls"] for name, one in seen.items() if "|" not in name and name != "cmdstat_info")
    return Cost(waiting, accounts, seen["cmdstat_evalsha"]["usec"] / delivered, calls / delivered, each)


def costs(redis: Redis) -> Iterator[Cost]:
    """Over the numbers that wait, for one account; then over the numbers of accounts, with 100,000 waiting."""
    for waiting in WAITING:
        yield cost(redis, waiting, 1)
    for accounts in ACCOUNTS[1:]:
        yield cost(redis, WAITING[1], accounts)


def deliver(ledger: Ledger, count: int) -> int:
    """Takes and settles until `count` are delivered, or nothing more is due. Returns how many were."""
    delivered = 0
    while delivered < count:
        wait_ms, claims = ledger.take(ROOM, LEASE_MS, "growth", next(_TAKES), monotonic())
        for claim in claims.values():
            if isinstance(claim, Claim):
                ledger.settle(claim.id, claim.token, {"state": "accepted", "reason": "", "answer": "ok"})
                delivered += 1
        if not claims and (wait_ms is None or wait_ms > BATCH):
            break
    return delivered


def _accounts(count: int) -> list[BaseAccount]:
    return [
        WemasyAccount.model_validate({"name": f"bench{n}", "provider": "wemasy", "token": "none", "concurrency": ROOM})
        for n in range(count)
    ]


def _line_up(ledger: Ledger, waiting: int, accounts: int, job: str) -> None:
    for start in range(0, waiting, BATCH):
        ledger.accept([_entry(number, accounts, job) for number in range(start, min(start + BATCH, waiting))])


def _entry(number: int, accounts: int, job: str) -> Entry:
    name = f"bench{number % accounts}"
    return Entry(f"{number:032x}", name, name, str(number), job, 0, 3 * DAY_MS)


def _memory(redis: Redis) -> int:
    used: int = redis.info("memory")["used_memory"]
    return used
