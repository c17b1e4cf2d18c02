"""How every account stands, for status, watch and the metrics: one round trip, a few commands for each account."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from config.accounts import BaseAccount
from worker.ledger import Ledger

FINISHED = ("accepted", "sent", "duplicate", "rejected", "failed", "refused", "suppressed", "cancelled")
PER_ACCOUNT = 5


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


def overview(ledger: Ledger, accounts: Iterable[BaseAccount]) -> dict[str, AccountView]:
    """Every account by name. Raises redis.RedisError where Redis is away."""
    known = list(accounts)
    with ledger.redis.pipeline(transaction=False) as pipe:
        pipe.time()
        for account in known:
            _ask(pipe, account)
        (seconds, micros), *answers = pipe.execute()
    now = int(seconds) * 1000 + int(micros) // 1000
    width = len(answers) // len(known) if known else 0
    return {
        account.name: _view(account, now, answers[index * width : (index + 1) * width])
        for index, account in enumerate(known)
    }


def _ask(pipe: Any, account: BaseAccount) -> None:
    line = f"invitations:line:{account.name}"
    pipe.hgetall(f"invitations:gate:{account.gate}")
    pipe.hgetall(f"invitations:pause:{account.name}")
    pipe.zcard(line)
    pipe.zrange(line, 0, 0, withscores=True)
    pipe.zcard(f"invitations:inflight:{account.name}")
    for state in FINISHED:
        pipe.zcard(f"invitations:state:{account.name}:{state}")


def _view(account: BaseAccount, now: int, answers: list[Any]) -> AccountView:
    gate, pause, waiting, first, delivering = answers[:PER_ACCOUNT]
    closed_until = int(gate.get("closed_until", 0))
    probe_at = int(pause.get("probe_at", 0)) or None
    state, until, reason = "open", None, None
    if pause:
        state, until, reason = "paused", probe_at, pause["reason"]
    elif closed_until > now:
        state, until, reason = "closed", closed_until, gate.get("closed_why")
    states = dict(zip(FINISHED, answers[PER_ACCOUNT:], strict=True))
    return AccountView(
        provider=account.provider,  # type: ignore[attr-defined]
        gate=state,
        gate_until=until,
        gate_reason=reason,
        waiting=waiting,
        delivering=delivering,
        oldest_due_ms=max(0, now - int(first[0][1])) if first else 0,
        limit=_limit(gate, account),
        states={"queued": waiting, "delivering": delivering, **states},
    )


def _limit(gate: dict[str, str], account: BaseAccount) -> str | None:
    """The strictest of what is configured, what the provider said, and what its refusals taught."""
    known = [(account.limit.count, account.limit.period_ms)] if account.limit else []
    known += [
        (int(gate[f"{kind}count"]), int(gate[f"{kind}period"]))
        for kind in ("said_", "taught_")
        if f"{kind}count" in gate
    ]
    if not known:
        return None
    count, period = min(known, key=lambda pair: (pair[0] / pair[1], pair[0]))
    return f"{count} per {period / 1000:g} s"
