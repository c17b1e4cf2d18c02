"""Accounts and their gates, as Redis knows them: paused, shut, or not as the accounts file says."""

from collections.abc import Iterator
from typing import cast

from redis import Redis

from config.accounts import BaseAccount
from ops.doctor.credentials import places
from ops.doctor.findings import Check, Deployment, Finding, Level
from worker.ledger import Ledger
from worker.overview import AccountView, overview
from worker.records import Records

OVERDUE_MS = 5 * 60_000
HOUR_MS = 3_600_000
LONG_MS = HOUR_MS // 6
OUTAGE = "unavailable: "
# What settle.lua and tell.lua note when they could not learn from an answer.
FAULT = "lesson_fault"
TOLD = ("count", "period", "burst", "concurrency")
RESTART = "if that changed the accounts file or a secret, restart the workers, which read both at their start"


def check_accounts(deployment: Deployment) -> Iterator[Finding]:
    """No account is paused or shut by an outage, and none that is no longer configured has invitations waiting."""
    ledger, records = Ledger(deployment.redis), Records(deployment.redis)
    for name, view in overview(ledger, deployment.accounts.values(), states=()).items():
        yield from _gate(deployment, name, view)
        yield from _pace(deployment, name, view)
    for name in records.accounts():
        waiting = 0 if name in deployment.accounts else records.count(name, "queued")
        if waiting:
            found = f"{name} is not configured, and {waiting} invitations wait for it"
            advice = f"configure it again, or: invitations cancel --account {name}"
            yield Finding("problem", "accounts", found, advice)


def check_gates(deployment: Deployment) -> Iterator[Finding]:
    """The workers go by the accounts file as it is now, and learn from answers."""
    gates = {account.gate: account for account in deployment.accounts.values()}
    with deployment.redis.pipeline(transaction=False) as pipe:
        for gate in gates:
            pipe.hmget(f"invitations:gate:{gate}", *TOLD)
        told = cast(list[list[str | None]], pipe.execute())
    for (gate, account), values in zip(gates.items(), told, strict=True):
        if values[-1] is not None and values != _meant(account):
            found = f"{gate}: the workers go by {_words(values)}, the accounts file says {_words(_meant(account))}"
            advice = "restart the workers: they read the accounts file at their start"
            yield Finding("warning", "gates", found, advice)
    for gate, fault in _faults(deployment.redis):
        advice = "deliveries go on without it; please report this line, then: invitations doctor --tidy"
        yield Finding("warning", "gates", f"{gate} could not learn from an answer: {fault}", advice)


def gates_known(redis: Redis) -> list[str]:
    """Every gate that an account of the ledger stands before."""
    return sorted(set(cast(list[str], redis.hvals("invitations:gates"))))


def _gate(deployment: Deployment, name: str, view: AccountView) -> Iterator[Finding]:
    reason = view.gate_reason or ""
    if view.gate == "paused":
        by_hand = deployment.redis.hget(f"invitations:pause:{name}", "by") == "person"
        level: Level = "problem" if view.waiting else "warning"
        if by_hand:
            found = f"{name} was paused by a person, {view.waiting} wait: {reason}"
            advice = f"when the reason is over: invitations resume {name}"
        else:
            found = f"{name} is paused, {view.waiting} wait: {reason}"
            known_by = places(deployment.accounts[name], deployment.settings)
            advice = f"mend the cause (its credentials: {known_by}); {RESTART}; then: invitations resume {name}"
        yield Finding(level, "accounts", found, advice)
    elif view.gate == "closed" and reason.startswith(OUTAGE) and view.oldest_due_ms:
        level = "problem" if view.oldest_due_ms >= OVERDUE_MS else "warning"
        found = f"{name} is {reason}; {view.waiting} wait, the oldest {view.oldest_due_ms // 1000} s overdue"
        advice = (
            "see whether the provider is up and base_url is right; one call at a time tests it, and"
            f" invitations resume {name} tries at once"
        )
        yield Finding(level, "accounts", found, advice)


def _pace(deployment: Deployment, name: str, view: AccountView) -> Iterator[Finding]:
    """What refusals taught may be too little, where others used the same limit for a while."""
    if not view.oldest_due_ms or view.gate == "paused":
        return
    gate = f"invitations:gate:{deployment.accounts[name].gate}"
    count, period = cast(list[str | None], deployment.redis.hmget(gate, "taught_count", "taught_period"))
    if count and period and view.waiting * int(period) / int(count) > LONG_MS:
        taught, hours = f"{count} per {int(period) / 1000:g} s", view.waiting * int(period) / int(count) / HOUR_MS
        found = f"{name}: {view.waiting} wait, and at {taught}, which refusals taught, they take"
        advice = "if the provider allows more, write that limit into the accounts file and restart the workers"
        yield Finding("warning", "accounts", f"{found} {hours:.1f} h", advice)


def _faults(redis: Redis) -> Iterator[tuple[str, str]]:
    gates = gates_known(redis)
    with redis.pipeline(transaction=False) as pipe:
        for gate in gates:
            pipe.hget(f"invitations:gate:{gate}", FAULT)
        notes = cast(list[str | None], pipe.execute())
    yield from ((gate, note) for gate, note in zip(gates, notes, strict=True) if note)


def _meant(account: BaseAccount) -> list[str | None]:
    """What a worker would tell the gate, as Redis keeps it."""
    limit = (account.limit.count, account.limit.period_ms) if account.limit else (None, None)
    return [None if value is None else str(value) for value in (*limit, account.burst, account.concurrency)]


def _words(values: list[str | None]) -> str:
    count, period, burst, concurrency = values
    limit = f"limit {count} per {int(period) / 1000:g} s" if count and period else "no limit"
    return f"{limit}{f', burst {burst}' if burst else ''}, {concurrency} calls at once"


CHECKS: tuple[Check, ...] = (check_accounts, check_gates)
