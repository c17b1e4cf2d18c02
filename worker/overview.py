"""How every account stands, for status, watch and the metrics: one round trip, whatever their number."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from config.accounts import BaseAccount
from worker.ledger import Ledger

FINISHED = ("accepted", "sent", "duplicate", "rejected", "failed", "refused", "suppressed", "cancelled")


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account. Times in milliseconds; `gate_until` since the epoch, None where it is not known."""

    provider: str
    gate: str
    gate_until: int | None
    gate_reason: str | None
    waiting: int
    delivering: int
    oldest_due_ms: int
    limit: str | None
    states: dict[str, int] = field(default_factory=dict)


def overview(
    ledger: Ledger, accounts: Iterable[BaseAccount], states: Sequence[str] = FINISHED
) -> dict[str, AccountView]:
    """Every account by name. Of the final states only `states` are counted, and 0 stands for the others.

    Raises redis.RedisError where Redis is away.
    """
    known = list(accounts)
    told = ledger.overview([(account.name, account.gate) for account in known], states)
    return {account.name: _view(account, now, row, states) for account, (now, row) in zip(known, told, strict=True)}


def _view(account: BaseAccount, now: int, row: list[Any], counted: Sequence[str]) -> AccountView:
    gate, (pause_reason, probe_at), waiting, due, delivering, *counts = row
    closed_until, closed_why, *limits = gate
    state, until, reason = "open", None, None
    if pause_reason is not False:
        state, until, reason = "paused", int(probe_at or 0) or None, pause_reason
    elif int(closed_until or 0) > now:
        state, until, reason = "closed", int(closed_until), closed_why or None
    done = dict.fromkeys(FINISHED, 0) | dict(zip(counted, counts, strict=True))
    return AccountView(
        provider=account.provider,
        gate=state,
        gate_until=until,
        gate_reason=reason,
        waiting=waiting,
        delivering=delivering,
        oldest_due_ms=max(0, now - int(due)) if due else 0,
        limit=_limit(account, *limits),
        states={"queued": waiting, "delivering": delivering, **done},
    )


def _limit(account: BaseAccount, *seen: str | Literal[False]) -> str | None:
    """The strictest of what is configured, what the provider said, and what its refusals taught."""
    known = [(account.limit.count, account.limit.period_ms)] if account.limit else []
    known += [(int(count), int(period)) for count, period in (seen[:2], seen[2:]) if count and period]
    if not known:
        return None
    count, period = min(known, key=lambda pair: (pair[0] / pair[1], pair[0]))
    return f"{count} per {period / 1000:g} s"
