"""Redis itself: its version, what it keeps, its memory and its clock."""

import time
from collections.abc import Iterator
from typing import Any

from redis import Redis

from ops.doctor.findings import Check, Deployment, Finding, Level
from worker.ledger import Ledger

OLDEST_REDIS = 7
SKEW_MS = 1_000
FULL = 0.9


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


CHECKS: tuple[Check, ...] = (check_redis, check_persistence, check_memory, check_clock)


def _info(redis: Redis, section: str) -> dict[str, Any]:
    return redis.info(section)
