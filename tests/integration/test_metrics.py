"""The metrics of a worker, as Prometheus scrapes them."""

from time import time
from urllib.parse import urlsplit

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from ops.simulator import SimulatorOptions
from tests.integration.deployment import Deployment, job, within
from tests.support import free_port

Sample = tuple[str, tuple[tuple[str, str], ...]]


@pytest.fixture(scope="module")
def simulator_options() -> SimulatorOptions:
    return SimulatorOptions(port=0, send_after=0)


@pytest.fixture(scope="module")
def address(deployment: Deployment) -> str:
    port = free_port()
    deployment.start_worker(METRICS_PORT=str(port))
    return f"http://127.0.0.1:{port}/metrics"


def samples(address: str) -> dict[Sample, float]:
    """Every sample of ours by name and labels."""
    families = text_string_to_metric_families(requests.get(address, timeout=10).text)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith("invitations_")
    }


def one(name: str, **labels: str) -> Sample:
    return name, tuple(sorted(labels.items()))


@pytest.fixture(scope="module")
def scraped(deployment: Deployment, address: str) -> dict[Sample, float]:
    """After two accepted, one of them sent, one throttled that waits, one that waits for its time and one refused."""
    deployment.simulator.control(
        account=deployment.key_at_provider("reviews"), fault="status:429", kind="create", count=1, retry_after="3600"
    )
    client = deployment.client()
    jobs = [
        job("shop_nl", "metrics"),
        job("portal", "metrics"),
        job("portal", "later", delay={"amount": 1, "unit": "days"}),
        job("reviews", "throttled"),
        {"account": "portal", "email": "no address"},
    ]
    results = [client.send_task("invitations.send", args=[one], queue="invitations") for one in jobs]
    ids = [result.get(timeout=20)["id"] for result in results]
    deployment.wait_for(ids[0], "accepted")
    deployment.wait_for(ids[1], "accepted")
    within(lambda: deployment.record(ids[3]).throttled == 1, "a refusal for the limit")
    client.send_task("invitations.retrieve", args=["shop_nl"], queue="invitations")
    deployment.wait_for(ids[0], "sent")
    return samples(address)


@pytest.mark.parametrize(
    ("account", "provider", "state", "value"),
    [
        ("shop_nl", "webwinkelkeur", "queued", 1),
        ("shop_nl", "webwinkelkeur", "accepted", 1),
        ("shop_nl", "webwinkelkeur", "sent", 1),
        ("portal", "wemasy", "queued", 2),
        ("portal", "wemasy", "accepted", 1),
        ("portal", "wemasy", "refused", 1),
        ("reviews", "feedbackcompany", "queued", 2),
    ],
)
def test_what_came_to_a_state_is_counted(
    scraped: dict[Sample, float], account: str, provider: str, state: str, value: int
) -> None:
    assert scraped[one("invitations_total", account=account, provider=provider, state=state)] == value


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("invitations_waiting", {"shop_nl": 0, "portal": 1, "reviews": 1}),
        ("invitations_delivering", {"shop_nl": 0, "portal": 0, "reviews": 0}),
        ("invitations_gate_open", {"shop_nl": 1, "portal": 1, "reviews": 0}),
    ],
)
def test_every_account_has_its_gauges(scraped: dict[Sample, float], name: str, values: dict[str, int]) -> None:
    assert {account: scraped[one(name, account=account)] for account in values} == values


def test_what_is_due_longest_is_told_in_seconds(scraped: dict[Sample, float]) -> None:
    assert scraped[one("invitations_oldest_due_seconds", account="shop_nl")] == 0
    assert scraped[one("invitations_oldest_due_seconds", account="portal")] == 0
    assert 0 < scraped[one("invitations_oldest_due_seconds", account="reviews")] < 30


def test_calls_are_measured_by_provider_and_outcome(scraped: dict[Sample, float]) -> None:
    name = "invitations_provider_request_seconds_count"
    assert scraped[one(name, provider="webwinkelkeur", outcome="accepted")] == 1
    assert scraped[one(name, provider="wemasy", outcome="accepted")] == 1
    assert scraped[one(name, provider="feedbackcompany", outcome="throttled")] == 1
    buckets = [labels for sample, labels in scraped if sample == "invitations_provider_request_seconds_bucket"]
    assert {dict(labels)["le"] for labels in buckets} >= {"0.1", "1.0", "+Inf"}


def test_calls_for_lists_are_measured_too(scraped: dict[Sample, float]) -> None:
    assert scraped[one("invitations_provider_request_seconds_count", provider="webwinkelkeur", outcome="listed")] >= 1


def test_threads_and_those_that_are_in_a_call_are_told(scraped: dict[Sample, float], address: str) -> None:
    assert scraped[one("invitations_threads")] == 20
    within(lambda: samples(address)[one("invitations_threads_busy")] == 0, "no thread in a call")


def test_the_last_retrieval_that_ended_well_is_told(deployment: Deployment, address: str) -> None:
    name = one("invitations_retrieved_timestamp_seconds", account="shop_nl")
    within(lambda: name in samples(address), "a retrieval that ended well")

    assert time() - 600 < samples(address)[name] <= time() + 1


def test_what_alerts_ask_how_much_it_grew_begins_at_nothing(scraped: dict[Sample, float]) -> None:
    for state in ("failed", "rejected"):
        assert scraped[one("invitations_total", account="shop_nl", provider="webwinkelkeur", state=state)] == 0


def test_the_process_and_redis_are_told(address: str) -> None:
    names = {family.name for family in text_string_to_metric_families(requests.get(address, timeout=10).text)}

    assert names >= {"process_resident_memory_bytes", "process_cpu_seconds", "invitations_redis_used_bytes"}


def test_refusals_for_the_limit_and_pages_asked_for_are_counted(
    scraped: dict[Sample, float], deployment: Deployment, address: str
) -> None:
    assert scraped[one("invitations_throttled_total", account="reviews")] == 1
    pages = one("invitations_retrieve_requests_total", account="shop_nl")
    assert scraped[pages] >= 1
    # The page after the one that told of `sent` may still be on its way.
    within(lambda: samples(address)[pages] == deployment.stats("shop_nl")["retrieved"], "every page asked for counted")


def test_a_second_worker_on_the_port_says_so_and_works(deployment: Deployment, address: str) -> None:
    port = str(urlsplit(address).port)
    second = deployment.start_worker(METRICS_PORT=port)
    second.wait_for("metrics_port_is_taken")
    assert second.alive
    assert second.stop() == 0
