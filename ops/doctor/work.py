"""Whether the work goes on: workers, inbox, beat and accounts."""

from collections.abc import Iterator
from typing import Any

from redis import Redis

from config.celery_values import INBOX
from ops.doctor.findings import Check, Deployment, Finding, Level
from worker.ledger import Ledger
from worker.overview import AccountView, overview
from worker.records import Records

ALIVE_MS = 10_000
COUNTED = 1_000
OVERDUE_MS = 5 * 60_000
OUTAGE = "unavailable: "
BEAT_LOCK = "invitations:beat::lock"


def check_workers(deployment: Deployment) -> Iterator[Finding]:
    """Some worker runs: each of them reads the inbox all the time."""
    readers = [
        reader
        for group in _groups(deployment.redis)
        for reader in deployment.redis.xinfo_consumers(INBOX, group["name"])
    ]
    alive = sum(reader["idle"] < ALIVE_MS for reader in readers)
    if alive:
        yield Finding("ok", "workers", f"{alive} run")
    else:
        advice = "start celery -A worker.app worker"
        yield Finding("warning", "workers", "none runs: nothing is delivered", advice)


def check_inbox(deployment: Deployment) -> Iterator[Finding]:
    """No job was taken out of the inbox by a reader that died, and by no other since."""
    long_ms = 2 * deployment.settings.lease_seconds * 1000
    left = sum(
        len(deployment.redis.xpending_range(INBOX, group["name"], "-", "+", COUNTED, idle=long_ms))
        for group in _groups(deployment.redis)
    )
    if left:
        found = f"{left}{' or more' if left >= COUNTED else ''} jobs are held by readers that are gone"
        yield Finding("warning", "inbox", found, "a worker takes them over when one runs; start one")
    else:
        yield Finding("ok", "inbox", "no dead reader holds a job")


def check_beat(deployment: Deployment) -> Iterator[Finding]:
    """Some beat holds the lock."""
    if deployment.redis.exists(BEAT_LOCK):
        yield Finding("ok", "beat", "runs")
    else:
        found = "none runs: nobody asks what was sent, and nothing old is erased"
        yield Finding("warning", "beat", found, "start celery -A worker.app beat")


def check_accounts(deployment: Deployment) -> Iterator[Finding]:
    """No account is paused or shut by an outage, and none that is no longer configured has invitations waiting."""
    ledger, records = Ledger(deployment.redis), Records(deployment.redis)
    for name, view in overview(ledger, deployment.accounts.values()).items():
        yield from _gate(name, view)
    for name in records.accounts():
        waiting = 0 if name in deployment.accounts else records.count(name, "queued")
        if waiting:
            found = f"{name} is not configured, and {waiting} invitations wait for it"
            advice = f"configure it again, or: invitations cancel --account {name}"
            yield Finding("problem", "accounts", found, advice)


def _gate(name: str, view: AccountView) -> Iterator[Finding]:
    reason = view.gate_reason or ""
    if view.gate == "paused":
        level: Level = "problem" if view.waiting else "warning"
        advice = (
            "mend the cause; if that changed the accounts file, restart the workers, which read it at their start;"
            f" then: invitations resume {name}"
        )
        yield Finding(level, "accounts", f"{name} is paused, {view.waiting} wait: {reason}", advice)
    elif view.gate == "closed" and reason.startswith(OUTAGE) and view.oldest_due_ms:
        level = "problem" if view.oldest_due_ms >= OVERDUE_MS else "warning"
        found = f"{name} is {reason}; {view.waiting} wait, the oldest {view.oldest_due_ms // 1000} s overdue"
        advice = (
            "see whether the provider is up and base_url is right; one call at a time tests it, and"
            f" invitations resume {name} tries at once"
        )
        yield Finding(level, "accounts", found, advice)


CHECKS: tuple[Check, ...] = (check_workers, check_inbox, check_beat, check_accounts)


def _groups(redis: Redis) -> list[dict[str, Any]]:
    """Who reads the inbox; nobody where it was never used."""
    return redis.xinfo_groups(INBOX) if redis.exists(INBOX) else []
