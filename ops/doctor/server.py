"""Redis itself: its version and role, what it keeps, its memory, its clock, and how far away it is."""

import time
from collections.abc import Iterator
from typing import Any

from redis import Redis

from ops.doctor.findings import Check, Deployment, Finding, Level
from worker.ledger import Ledger

OLDEST_REDIS = 7
SKEW_MS = 1_000
FULL = 0.9
WRITES = ("rdb_last_bgsave_status", "aof_last_write_status", "aof_last_bgrewrite_status")
ROUND_TRIPS = 20
FAR_MS = 5


def check_redis(deployment: Deployment) -> Iterator[Finding]:
    """Redis 7 or later, or Valkey; the primary."""
    info = _info(deployment.redis, "server")
    if _info(deployment.redis, "replication").get("role") == "slave":
        advice = "let INVITATIONS_REDIS_URL name the primary, or the sentinels that know it"
        yield Finding("problem", "redis", "is a replica: it takes nothing in", advice)
    elif "valkey_version" in info:
        yield Finding("ok", "redis", f"Valkey {info['valkey_version']} answers")
    elif int(str(info["redis_version"]).split(".", maxsplit=1)[0]) >= OLDEST_REDIS:
        yield Finding("ok", "redis", f"Redis {info['redis_version']} answers")
    else:
        advice = f"upgrade to Redis {OLDEST_REDIS} or later, or to Valkey"
        yield Finding("problem", "redis", f"Redis {info['redis_version']}", advice)


def check_persistence(deployment: Deployment) -> Iterator[Finding]:
    """The append-only file is on; snapshots alone lose minutes, neither loses everything that waits."""
    info = _info(deployment.redis, "persistence")
    failed = [name for name in WRITES if info.get(name, "ok") != "ok"]
    if failed:
        found = f"its last write to disk failed ({', '.join(failed)}): it may refuse jobs until one succeeds"
        yield Finding("problem", "persistence", found, "see its log, and whether its disk is full or its folder gone")
    elif info.get("aof_enabled"):
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


def check_latency(deployment: Deployment) -> Iterator[Finding]:
    """Redis is near: every invitation takes a few round trips, one after the other."""
    taken = sorted(_round_trip_ms(deployment.redis) for _ in range(ROUND_TRIPS))
    found = f"a round trip takes {taken[0]:.1f} ms at best, {taken[-1]:.1f} ms at worst of {ROUND_TRIPS}"
    if taken[0] <= FAR_MS:
        yield Finding("ok", "latency", found)
    else:
        advice = "run the workers near Redis; where they are, see what keeps it busy: redis-cli --latency, SLOWLOG GET"
        yield Finding("warning", "latency", found, advice)


CHECKS: tuple[Check, ...] = (check_redis, check_persistence, check_memory, check_clock, check_latency)


def _round_trip_ms(redis: Redis) -> float:
    started = time.perf_counter()
    redis.ping()
    return (time.perf_counter() - started) * 1000


def _info(redis: Redis, section: str) -> dict[str, Any]:
    return redis.info(section)
