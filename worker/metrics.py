"""Prometheus metrics of a worker: what it did itself. What Redis says when asked stands in worker/gauges.py."""

import time
from functools import cache

import structlog
from prometheus_client import REGISTRY, Counter, Gauge, Histogram, start_http_server

from config.accounts_file import accounts
from config.settings import PREFIX, Settings
from worker.claims import NoClaim
from worker.gauges import Gauges, GaugesCollector
from worker.ledger import LOOKED_AT_ONCE, NO_ACCOUNT, ledger

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
# Of these the alerts ask how much they grew: a counter that appears with its first failure has not grown.
BEGUN = ("accepted", "rejected", "failed")
PACER_TURN = Gauge(
    "invitations_pacer_turn_timestamp_seconds", "When the pacer of this process last looked at the gates"
)
THREADS = Gauge("invitations_threads", "Deliveries that this process can make at once")
THREADS_BUSY = Gauge("invitations_threads_busy", "Deliveries that this process makes now")


def count(account: str, state: str) -> None:
    """An invitation of this account came to this state here."""
    known = accounts().get(account)
    provider = known.provider if known else NO_ACCOUNT
    _begin(account, provider)
    INVITATIONS.labels(account, provider, state).inc()


@cache
def _begin(account: str, provider: str) -> None:
    THROTTLED.labels(account)
    for state in BEGUN:
        INVITATIONS.labels(account, provider, state)


def count_ended(refused: NoClaim) -> None:
    """Where the ledger ended an invitation instead of letting it be claimed."""
    if refused.why in ENDED_AT_CLAIM:
        count(refused.account, ENDED_AT_CLAIM[refused.why])


def beat_of_pacer() -> None:
    PACER_TURN.set(time.time())


def serve_metrics(settings: Settings) -> None:
    """Serves the metrics of this process; a port that is taken is said and costs no delivery."""
    if not settings.metrics_port:
        return
    REGISTRY.register(GaugesCollector(Gauges(ledger(), accounts())))
    if len(accounts()) <= LOOKED_AT_ONCE:
        for account in accounts().values():
            _begin(account.name, account.provider)
    try:
        start_http_server(settings.metrics_port, settings.metrics_host)
    except OSError:
        log.warning(
            "metrics_port_is_taken",
            port=settings.metrics_port,
            hint=f"another worker on this host has it; give each its own {PREFIX}METRICS_PORT",
        )
