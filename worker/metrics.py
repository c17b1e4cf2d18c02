"""Prometheus metrics of a worker: what it did itself, and what Redis says of the accounts when asked."""

import time
from collections.abc import Iterator

import structlog
from prometheus_client import REGISTRY, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from config.accounts_file import accounts
from config.settings import PREFIX, Settings
from worker.claims import NoClaim
from worker.ledger import NO_ACCOUNT, ledger
from worker.overview import overview

log = structlog.get_logger()

INVITATIONS = Counter("invitations", "Invitations that came to a state", ["account", "provider", "state"])
THROTTLED = Counter("invitations_throttled", "Calls that the provider refused for its limit", ["account"])
RETRIEVED = Counter("invitations_retrieve_requests", "Pages of sent invitations asked for", ["account"])
REQUEST_SECONDS = Histogram(
    "invitations_provider_request_seconds",
    "How long a call to the provider took",
    ["provider", "outcome"],
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
ENDED_AT_CLAIM = {"expired": "failed", "suppressed": "suppressed"}
ACCOUNT_GAUGES = (
    ("waiting", "Invitations in line"),
    ("delivering", "Invitations that a worker holds"),
    ("gate_open", "1 where the gate lets calls pass"),
    ("oldest_due_seconds", "How long the invitation that is due longest has been due"),
)
PACER_TURN = Gauge(
    "invitations_pacer_turn_timestamp_seconds", "When the pacer of this process last looked at the gates"
)


def count(account: str, state: str) -> None:
    """An invitation of this account came to this state here."""
    known = accounts().get(account)
    INVITATIONS.labels(account, known.provider if known else NO_ACCOUNT, state).inc()


def count_ended(refused: NoClaim) -> None:
    """Where the ledger ended an invitation instead of letting it be claimed."""
    if refused.why in ENDED_AT_CLAIM:
        count(refused.account, ENDED_AT_CLAIM[refused.why])


def beat_of_pacer() -> None:
    PACER_TURN.set(time.time())


class AccountsCollector(Collector):
    """Gauges of every configured account, read from Redis at each scrape in one round trip."""

    def collect(self) -> Iterator[Metric]:
        gauges = {
            name: GaugeMetricFamily(f"invitations_{name}", text, labels=["account"]) for name, text in ACCOUNT_GAUGES
        }
        try:
            views = overview(ledger(), accounts().values(), states=())
        except RedisError as error:
            log.warning("metrics_without_redis", error=type(error).__name__)
            return
        for name, view in views.items():
            gauges["waiting"].add_metric([name], view.waiting)
            gauges["delivering"].add_metric([name], view.delivering)
            gauges["gate_open"].add_metric([name], 1 if view.gate == "open" else 0)
            gauges["oldest_due_seconds"].add_metric([name], view.oldest_due_ms / 1000)
        yield from gauges.values()

    def describe(self) -> list[Metric]:
        return []


def serve_metrics(settings: Settings) -> None:
    """Serves the metrics of this process; a port that is taken is said and costs no delivery."""
    if not settings.metrics_port:
        return
    REGISTRY.register(AccountsCollector())
    try:
        start_http_server(settings.metrics_port, settings.metrics_host)
    except OSError:
        log.warning(
            "metrics_port_is_taken",
            port=settings.metrics_port,
            hint=f"another worker on this host has it; give each its own {PREFIX}METRICS_PORT",
        )
