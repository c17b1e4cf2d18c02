"""Alerts, dashboard and Prometheus name what exists: metrics that workers give, sections, jobs, ports."""

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

import worker.metrics  # noqa: F401 - registers what it counts
from config.settings import Settings
from ops.monitoring.queries import DASHBOARD, filled_in, metrics_in, queries
from worker.gauges import ACCOUNT_GAUGES, GAUGES

FOLDER = DASHBOARD.parent
FLOWER = {"flower_events_total"}
ANCHORS = {
    "InvitationsOldestDueTooOld": "oldest-due-too-old",
    "InvitationsGatePaused": "gate-paused",
    "InvitationsFailuresRising": "failures-rising",
    "InvitationsNoRetrieval": "no-retrieval",
    "InvitationsBeatSilent": "beat-silent",
    "InvitationsRedisMemory": "redis-memory",
    "InvitationsNothingDelivered": "nothing-delivered",
    "InvitationsWorkerSilent": "worker-silent",
}


def read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text("utf-8"))


def rules() -> list[dict[str, Any]]:
    return [rule for group in read("alerts.yml")["groups"] for rule in group["rules"]]


def given() -> set[str]:
    """Every metric that a worker gives, as Prometheus names it, those of a histogram and of the process among them."""
    names = {f"invitations_{name}" for name, _ in ACCOUNT_GAUGES + GAUGES}
    suffixes = defaultdict(lambda: [""], counter=["_total"], histogram=["_bucket", "_count", "_sum"])
    for family in REGISTRY.collect():
        names |= {family.name + suffix for suffix in suffixes[family.type]}
    return names | FLOWER | {"up"}


@pytest.mark.parametrize("query", [query for _, query in queries()])
def test_what_the_dashboard_asks_for_exists(query: str) -> None:
    assert metrics_in(query)
    assert metrics_in(query) <= given()


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_what_an_alert_asks_for_exists_and_its_section_is_linked(rule: dict[str, Any]) -> None:
    assert metrics_in(rule["expr"])
    assert metrics_in(rule["expr"]) <= given()
    assert rule["annotations"]["runbook_url"] == f"ops/runbook.md#{ANCHORS[rule['alert']]}"
    assert rule["annotations"]["summary"]
    assert rule["labels"]["severity"] in ("page", "ticket")


def test_there_is_every_alert_and_each_is_tested_fired_and_not_fired() -> None:
    tested: dict[str, set[bool]] = defaultdict(set)
    for test in read("alerts_test.yml")["tests"]:
        for case in test["alert_rule_test"]:
            tested[case["alertname"]].add(bool(case["exp_alerts"]))

    assert {rule["alert"] for rule in rules()} == set(ANCHORS)
    assert tested == {name: {True, False} for name in ANCHORS}


def test_an_alert_asks_for_states_and_outcomes_that_there_are() -> None:
    outcomes = {"accepted", "duplicate", "rejected", "suppressed", "failed", "unavailable", "unclear"}

    named = {
        word for rule in rules() for found in re.findall(r'=~"([a-z|]+)"', rule["expr"]) for word in found.split("|")
    }

    assert named == outcomes


def test_jobs_of_alerts_and_dashboard_are_those_that_prometheus_scrapes() -> None:
    jobs = {job["job_name"]: job for job in read("prometheus.yml")["scrape_configs"]}
    asked = [rule["expr"] for rule in rules()] + [query for _, query in queries()]

    assert set(re.findall(r'job="([^"]+)"', " ".join(asked))) == {"invitations-worker"} <= set(jobs)
    (found,) = jobs["invitations-worker"]["dns_sd_configs"]
    assert (found["names"], found["port"]) == (["worker"], Settings.model_fields["metrics_port"].default)


def test_flower_adds_no_worker_that_stands_still() -> None:
    """It imports worker.metrics, and its own registry tells those that have no labels."""
    flower = next(job for job in read("prometheus.yml")["scrape_configs"] if job["job_name"] == "invitations-flower")

    (rule,) = flower["metric_relabel_configs"]

    assert (rule["source_labels"], rule["action"]) == (["__name__"], "drop")
    assert all(re.fullmatch(rule["regex"], name) for name in given() if name.startswith("invitations"))
    assert not any(re.fullmatch(rule["regex"], name) for name in FLOWER | {"up"})


def test_the_dashboard_stands_where_grafana_is_told_to_look() -> None:
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    (provider,) = read("grafana/dashboards/invitations.yml")["providers"]
    (source,) = read("grafana/datasources/prometheus.yml")["datasources"]
    variable = dashboard["templating"]["list"][0]

    assert Path(provider["options"]["path"]) == Path("/var/lib/grafana/dashboards")
    assert (variable["type"], variable["current"]["value"]) == ("datasource", source["uid"])
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)


def test_a_query_is_asked_as_grafana_does() -> None:
    query = 'max by (account) (rate(invitations_total{account=~"$account", state="up"}[$__rate_interval]))'

    assert metrics_in(query) == {"invitations_total"}
    assert filled_in(query, 60) == 'max by (account) (rate(invitations_total{account=~".*", state="up"}[60s]))'
