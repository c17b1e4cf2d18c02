"""One trace from the producer to the provider: a real worker, a real exporter, and a collector that keeps what came."""

import json
from collections.abc import Callable, Iterator
from secrets import token_hex

import pytest

from tests.integration.collector import Collector, Seen, collecting
from tests.integration.deployment import Deployment, Job, job, within

Way = Callable[[Deployment, Job, str], None]


@pytest.fixture(scope="module")
def collector(deployment: Deployment) -> Iterator[Collector]:
    """With a worker that exports to it."""
    with collecting() as collector, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        deployment.start_worker()
        yield collector
        deployment.stop_all()


def by_celery(deployment: Deployment, job: Job, traceparent: str) -> None:
    """The header is where OpenTelemetry's instrumentation of Celery puts it."""
    headers = {"traceparent": traceparent}
    deployment.client().send_task("invitations.send", args=[job], queue="invitations", headers=headers)


def by_stream(deployment: Deployment, job: Job, traceparent: str) -> None:
    deployment.redis.xadd("invitations:inbox", {"job": json.dumps(job), "traceparent": traceparent})


@pytest.mark.parametrize(("way", "account"), [(by_stream, "shop_nl"), (by_celery, "reviews")])
def test_a_trace_leads_from_the_producer_over_a_refusal_to_the_provider(
    deployment: Deployment, collector: Collector, way: Way, account: str
) -> None:
    key = deployment.key_at_provider(account)
    deployment.simulator.control(account=key, fault="status:429", kind="create", count=1, retry_after="1")
    sent, trace, producer = job(account, f"traced-{account}"), token_hex(16), token_hex(8)

    way(deployment, sent, f"00-{trace}-{producer}-01")

    within(lambda: [span.name for span in collector.spans(trace)].count("deliver") == 2, "both attempts exported")
    spans = collector.spans(trace)
    (accept,) = named(spans, "accept")
    first, second = named(spans, "deliver")
    assert (accept.parent, first.parent, second.parent) == (producer, accept.id, accept.id)
    assert [span.told["invitation.state"] for span in (accept, first, second)] == ["queued", "queued", "accepted"]
    assert {span.told["invitation.id"] for span in (accept, first, second)} == {accept.told["invitation.id"]}
    assert [calls(spans, attempt)[-1] for attempt in (first, second)] == [429, 200 if account == "shop_nl" else 201]


@pytest.mark.usefixtures("collector")
def test_who_names_no_trace_is_traced_from_here_on(deployment: Deployment, collector: Collector) -> None:
    deployment.redis.xadd("invitations:inbox", {"job": json.dumps(job("portal", "new")), "traceparent": "jane@x.nl"})

    within(lambda: deployment.count("portal", "accepted") == 1, "delivered")
    (invitation,) = deployment.records.ids("portal", "accepted")
    trace = str(deployment.redis.hget(f"invitations:record:{invitation}", "trace")).split("-")[1]
    within(lambda: len(collector.spans(trace)) == 3, "its spans exported")
    assert [span.name for span in collector.spans(trace)] == ["accept", "deliver", "POST"]


def test_no_span_tells_of_a_customer_or_of_a_credential(deployment: Deployment, collector: Collector) -> None:
    said = collector.text

    assert "/api/" in said
    secrets = [
        str(value) for fields in deployment.accounts.values() for value in fields.values() if "-of-" in str(value)
    ]
    assert len(secrets) == 4
    assert [text for text in (*secrets, "@", "customer.", "order-", "?") if text in said] == []


def named(spans: list[Seen], name: str) -> list[Seen]:
    return [span for span in spans if span.name == name]


def calls(spans: list[Seen], attempt: Seen) -> list[object]:
    """The statuses that the calls of an attempt were answered with."""
    return [span.told["http.response.status_code"] for span in spans if span.parent == attempt.id]
