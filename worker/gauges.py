"""What the metrics tell of Redis: the accounts, beat and the server's memory.

Every worker tells all of it, and together they look for a fiftieth of the time at most: what one of them saw is kept in
Redis for the others, the longer the more accounts are in use. Of many accounts those that are in use alone are shown.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from math import ceil
from time import perf_counter

import structlog
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import OutOfMemoryError, RedisError

from config.accounts import BaseAccount
from config.celery_values import BEAT_LOCK, BEAT_LOCK_SECONDS
from worker.active import active, keep_active
from worker.ledger import LOOKED_AT_ONCE, Ledger
from worker.overview import AccountView, overview
from worker.sightings import looked_at, overdue_ms

log = structlog.get_logger()

ACCOUNT_GAUGES = (
    ("waiting", "Invitations in line"),
    ("delivering", "Invitations that a worker holds"),
    ("gate_open", "1 where the gate lets calls pass"),
    ("gate_paused", "1 where nothing passes until a person resumes it, but a probe now and then"),
    ("oldest_due_seconds", "How long the invitation that is due longest has been due"),
    ("retrieved_timestamp_seconds", "When the last retrieval ended that looked for all that may have gone out"),
    ("retrieval_overdue_seconds", "How long something that may have gone out was not looked for"),
)
GAUGES = (
    ("beat_timestamp_seconds", "When beat last took or kept its lock"),
    ("redis_used_bytes", "Memory that Redis uses"),
    ("redis_max_bytes", "Memory that Redis may use; 0: as much as there is"),
)
KEPT = "invitations:gauges"
KEPT_TIMES, KEPT_MOST_MS = 50, 15_000

Told = dict[str, dict[str, float]]
"""The values of each gauge by account; what is of no account stands at ""."""


class Gauges:
    """Looks, or reads what another worker saw. Raises redis.RedisError where Redis is away."""

    def __init__(self, ledger: Ledger, accounts: Mapping[str, BaseAccount]) -> None:
        self._ledger = ledger
        self._known = accounts
        self._beat: dict[str, float] = {}

    def told(self) -> Told:
        redis = self._ledger.redis
        kept = redis.get(KEPT)
        if kept:
            told: Told = json.loads(str(kept))
            return told
        began = perf_counter()
        told = self._accounts() | self._server()
        took_ms = (perf_counter() - began) * 1000
        # A Redis that is full keeps nothing, and the next looks again.
        with suppress(OutOfMemoryError):
            redis.set(KEPT, json.dumps(told), px=min(KEPT_MOST_MS, ceil(took_ms * KEPT_TIMES)))
        return told

    def _accounts(self) -> Told:
        noted = active(self._ledger)
        names = [name for name in noted if name in self._known]
        if len(self._known) <= LOOKED_AT_ONCE:
            names = list(self._known)
        views = overview(self._ledger, [self._known[name] for name in names], states=())
        listing = [name for name in names if self._known[name].lists]
        overdue = overdue_ms(self._ledger, listing)
        busy = [name for name, view in views.items() if _is_busy(view) or overdue.get(name)]
        keep_active(self._ledger, noted, busy, self._ledger.now())
        return {
            "waiting": {name: view.waiting for name, view in views.items()},
            "delivering": {name: view.delivering for name, view in views.items()},
            "gate_open": {name: int(view.gate == "open") for name, view in views.items()},
            "gate_paused": {name: int(view.gate == "paused") for name, view in views.items()},
            "oldest_due_seconds": {name: view.oldest_due_ms / 1000 for name, view in views.items()},
            "retrieved_timestamp_seconds": _seconds(looked_at(self._ledger, listing)),
            "retrieval_overdue_seconds": _seconds(overdue),
        }

    def _server(self) -> Told:
        memory = self._ledger.redis.info("memory")
        left_ms = int(self._ledger.redis.pttl(BEAT_LOCK))
        if left_ms > 0:
            self._beat = _seconds({"": self._ledger.now() + left_ms - BEAT_LOCK_SECONDS * 1000})
        return {
            "beat_timestamp_seconds": self._beat,
            "redis_used_bytes": {"": memory["used_memory"]},
            "redis_max_bytes": {"": memory["maxmemory"]},
        }


def _is_busy(view: AccountView) -> bool:
    return bool(view.waiting or view.delivering) or view.gate != "open"


def _seconds(ms: Mapping[str, int]) -> dict[str, float]:
    return {name: value / 1000 for name, value in ms.items()}


class GaugesCollector(Collector):
    """Asks at each scrape; where Redis is away it tells nothing."""

    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        try:
            told = self._gauges.told()
        except RedisError as error:
            log.warning("metrics_without_redis", error=type(error).__name__)
            return
        for name, text in ACCOUNT_GAUGES:
            family = GaugeMetricFamily(f"invitations_{name}", text, labels=["account"])
            # A worker of another version may have looked, which knows other gauges.
            for account, value in told.get(name, {}).items():
                family.add_metric([account], value)
            yield family
        for name, text in GAUGES:
            family = GaugeMetricFamily(f"invitations_{name}", text)
            for value in told.get(name, {}).values():
                family.add_metric([], value)
            yield family

    def describe(self) -> list[Metric]:
        return []
