"""What the dashboard asks Prometheus for."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

DASHBOARD = Path(__file__).with_name("dashboard.json")
METRIC = re.compile(r"\b(?:invitations|flower|process)_[a-z_]+|\bup\b")
IN_BRACES = re.compile(r"\{[^}]*\}")


def queries() -> Iterator[tuple[str, str]]:
    """The title of each panel, and each of its queries."""
    for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def filled_in(query: str, seconds: int) -> str:
    """As Grafana asks it for all accounts, and rates over so many seconds."""
    return query.replace("$account", ".*").replace("$__rate_interval", f"{seconds}s")


def metrics_in(query: str) -> set[str]:
    """The metrics that it names."""
    return set(METRIC.findall(IN_BRACES.sub("", query)))
