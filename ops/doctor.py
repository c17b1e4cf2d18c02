"""What is wrong with a deployment, and what to do about it: each finding is one line for a person on call."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any, Literal

from dotenv import dotenv_values
from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

from config.accounts_file import VARIABLE, Accounts, load_accounts
from config.errors import ConfigurationError
from config.settings import PREFIX, Settings, load_settings
from worker.connection import connect
from worker.ledger import Ledger
from worker.overview import AccountView, overview
from worker.records import Records

Level = Literal["ok", "warning", "problem"]
PROBLEM: Level = "problem"

OLDEST_REDIS = 7
SKEW_MS = 1_000
FULL = 0.9
ALIVE_MS = 10_000
COUNTED = 1_000
OVERDUE_MS = 5 * 60_000
OUTAGE = "unavailable: "
INBOX = "invitations:inbox"
BEAT_LOCK = "invitations:beat::lock"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `advice` is empty where there is nothing to do."""

    level: Level
    check: str
    found: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the checks look at."""

    redis: Redis
    settings: Settings
    accounts: Accounts


Check = Callable[[Deployment], Iterator[Finding]]


def examine() -> list[Finding]:
    """Everything that can be found now. What cannot be reached is a finding too; nothing is raised."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        return [_fault(fault) for fault in error.faults]
    accounts, findings = _accounts(settings)
    findings += _unknown_variables(settings)
    client = connect(settings)
    unreachable = _reach(client)
    if unreachable:
        return [*findings, unreachable]
    deployment = Deployment(client, settings, accounts)
    for check in CHECKS:
        findings += _run(check, deployment)
    return findings


def _run(check: Check, deployment: Deployment) -> list[Finding]:
    name = check.__name__.removeprefix("check_")
    try:
        return list(check(deployment))
    except RedisError as error:
        advice = "let the user in INVITATIONS_REDIS_URL read it, or look at the server itself"
        return [Finding("warning", name, f"cannot be seen from here ({type(error).__name__})", advice)]


def _accounts(settings: Settings) -> tuple[Accounts, list[Finding]]:
    try:
        accounts = load_accounts(settings)
    except ConfigurationError as error:
        return {}, [_fault(fault) for fault in error.faults]
    return accounts, [Finding("ok", "configuration", f"{len(accounts)} accounts can be used")]


def _unknown_variables(settings: Settings) -> Iterator[Finding]:
    """Variables with our prefix that nothing reads, in the environment, `.env` and the secrets folder."""
    folder = settings.secrets_dir
    files = [file.name for file in folder.iterdir() if file.is_file()] if folder else []
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in sorted({name.upper() for name in (*os.environ, *dotenv_values(".env"), *files)}):
        if name.startswith(PREFIX) and not name.startswith(VARIABLE) and name not in known:
            advice = f"correct or remove it{_nearest(name, known)}"
            yield Finding("warning", "variables", f"{name} is not a setting", advice)


def _nearest(name: str, known: set[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.8)
    if not near and name.startswith(VARIABLE.rstrip("_")):
        near = [f"{VARIABLE}NAME__FIELD"]
    return f"; the nearest that there is: {near[0]}" if near else ""


def _fault(fault: str) -> Finding:
    return Finding("problem", "configuration", fault, "mend it; the worker does not start like this")


def _reach(client: Redis) -> Finding | None:
    try:
        client.ping()
    except AuthenticationError:
        return Finding("problem", "redis", "refuses the user or password", "correct INVITATIONS_REDIS_URL")
    except RedisError as error:
        advice = "check INVITATIONS_REDIS_URL and that the server runs"
        return Finding("problem", "redis", f"does not answer ({type(error).__name__})", advice)
    return None


def check_redis(deployment: Deployment) -> Iterator[Finding]:
    """Redis 7 or later, or Valkey."""
    info = _info(deployment.redis, "server")
    if "valkey_version" in info:
        yield Finding("ok", "redis", f"Valkey {info['valkey_version']} answers")
        return
    version = str(info["redis_version"])
    if int(version.split(".", maxsplit=1)[0]) >= OLDEST_REDIS:
        yield Finding("ok", "redis", f"Redis {version} answers")
    else:
        advice = f"upgrade to Redis {OLDEST_REDIS} or later, or to Valkey"
        yield Finding("problem", "redis", f"Redis {version}", advice)


def check_persistence(deployment: Deployment) -> Iterator[Finding]:
    """The append-only file is on; snapshots alone lose minutes, neither loses everything that waits."""
    if _info(deployment.redis, "persistence").get("aof_enabled"):
        yield Finding("ok", "persistence", "the append-only file is on")
    elif deployment.redis.config_get("save").get("save"):
        advice = "set appendonly yes: a crash loses what came in since the last snapshot"
        yield Finding("warning", "persistence", "snapshots only", advice)
    else:
        advice = "set appendonly yes in redis.conf"
        yield Finding("problem", "persistence", "off: a restart loses all that waits", advice)


def check_memory(deployment: Deployment) -> Iterator[Finding]:
    """Redis throws nothing away when it is full, and is not nearly full."""
    info = _info(deployment.redis, "memory")
    policy, most, used = str(info["maxmemory_policy"]), int(info["maxmemory"]), int(info["used_memory"])
    if policy != "noeviction":
        level: Level = "problem" if most else "warning"
        found = f"maxmemory-policy is {policy}: invitations may be evicted"
        yield Finding(level, "memory", found, "set it to noeviction")
    elif most and used > most * FULL:
        advice = "raise maxmemory, or lower INVITATIONS_RETENTION_DAYS"
        yield Finding("warning", "memory", f"{used / most:.0%} of maxmemory is used", advice)
    else:
        yield Finding("ok", "memory", f"noeviction, {used / 2**20:.0f} MiB used")


def check_clock(deployment: Deployment) -> Iterator[Finding]:
    """This host's clock agrees with Redis's, by which everything here goes."""
    before = time.time_ns()
    now = Ledger(deployment.redis).now()
    skew = now - (before + time.time_ns()) // 2_000_000
    if abs(skew) <= SKEW_MS:
        yield Finding("ok", "clock", "this host and Redis agree")
        return
    which = "behind" if skew > 0 else "ahead of"
    advice = "run NTP on both; invitations keep to Redis's clock, logs to this host's"
    yield Finding("warning", "clock", f"this host is {abs(skew) / 1000:.1f} s {which} Redis", advice)


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


CHECKS: tuple[Check, ...] = (
    check_redis,
    check_persistence,
    check_memory,
    check_clock,
    check_workers,
    check_inbox,
    check_beat,
    check_accounts,
)


def _info(redis: Redis, section: str) -> dict[str, Any]:
    return redis.info(section)


def _groups(redis: Redis) -> list[dict[str, Any]]:
    """Who reads the inbox; nobody where it was never used."""
    return redis.xinfo_groups(INBOX) if redis.exists(INBOX) else []
