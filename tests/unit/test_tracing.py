"""One trace from the producer's span over line and attempts to the provider; and nothing where nobody asked for it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest
from celery.exceptions import Retry
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from redis import Redis

from config.accounts_file import accounts
from ops.simulator import RunningSimulator
from tasks.enqueue import enqueue, enqueue_many
from tests.command_line import CommandLine, forget
from tests.deliveries import deliver_claim, take
from tests.property.desk import DAY_MS, Desk, account
from tests.support import wait_until
from worker.entries import Entry
from worker.ledger import ledger
from worker.spans import Spans
from worker.tracing import Tracing, carried, current, tracing

ROOT = Path(__file__).parents[2]
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
JOB = {
    "account": "shop_nl",
    "email": "canary@example.com",
    "order": "canary-order",
    "customer": {"full_name": "Canary"},
}
ACCOUNT = '[accounts.shop_nl]\nprovider = "webwinkelkeur"\nshop_id = 1\ncode = "canary-code"\nbase_url = "{url}"\n'


@pytest.fixture
def provider() -> TracerProvider:
    return TracerProvider()


@pytest.fixture
def exporter(provider: TracerProvider, monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What this process traces, ended spans first."""
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "spans", Spans(provider))
    return exporter


@pytest.fixture
def simulator(cli: CommandLine) -> Iterator[RunningSimulator]:
    """The provider of this process's one account."""
    with RunningSimulator() as simulator:
        cli.write("accounts.toml", ACCOUNT.format(url=simulator.url))
        forget()
        ledger().configure(accounts().values())
        yield simulator


def deliver_all(count: int) -> None:
    """What a worker does, until so many attempts are over."""
    begun: list[str] = []

    def turn() -> bool:
        for invitation, claim in take().items():
            begun.append(invitation)
            with suppress(Retry):
                deliver_claim(claim)
        return len(begun) == count

    wait_until(turn, seconds=20, what=f"{count} attempts")


def named(exporter: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in exporter.get_finished_spans() if span.name == name]


def parents(spans: list[ReadableSpan]) -> set[int]:
    return {span.parent.span_id for span in spans if span.parent}


def ids(spans: list[ReadableSpan]) -> set[int]:
    return {span.context.span_id for span in spans if span.context}


def test_one_trace_leads_from_the_producer_over_a_refusal_to_the_provider(
    simulator: RunningSimulator, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    simulator.control(fault="status:429", count=1, retry_after="1")

    with provider.get_tracer("shop").start_as_current_span("order"):
        enqueue(JOB)
    deliver_all(2)

    spans = exporter.get_finished_spans()
    order, accept, attempts, calls = (named(exporter, name) for name in ("order", "accept", "deliver", "POST"))
    assert len(spans) == len(order) + len(accept) + len(attempts) + len(calls) == 6
    assert len({span.context.trace_id for span in spans if span.context}) == 1
    assert (parents(accept), parents(attempts), parents(calls)) == (ids(order), ids(accept), ids(attempts))
    assert [(span.attributes or {})["http.response.status_code"] for span in calls] == [429, 200]
    assert [(span.attributes or {})["invitation.state"] for span in attempts] == ["queued", "accepted"]


@pytest.mark.parametrize("fault", ["reset_before", "status:401", "status:500", "huge"])
def test_no_span_tells_of_a_customer_or_of_a_credential(
    simulator: RunningSimulator, exporter: InMemorySpanExporter, fault: str
) -> None:
    simulator.control(fault=fault, count=1)

    enqueue(JOB)
    deliver_all(1)

    said = "\n".join(span.to_json() for span in exporter.get_finished_spans())
    assert "/api/1.0/invitations.json" in said
    assert [word for word in ("canary", "Canary", "@", "?", "code") if word in said.replace("status_code", "")] == []


def test_many_at_once_carry_the_trace_of_who_enqueues_them(
    simulator: RunningSimulator, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    with provider.get_tracer("shop").start_as_current_span("orders"):
        enqueue_many([{**JOB, "order": "1"}, {**JOB, "unknown": "field"}, {**JOB, "order": "1"}])

    accept = named(exporter, "accept")
    assert parents(accept) == ids(named(exporter, "orders"))
    told = [span.attributes or {} for span in accept]
    assert [(one["invitation.state"], one["invitation.created"]) for one in told] == [
        ("queued", True),
        ("refused", True),
        ("queued", False),
    ]
    assert simulator.stats()["accounts"] == {}


def test_without_a_tracer_of_our_own_the_producers_trace_is_carried_on(
    simulator: RunningSimulator, provider: TracerProvider
) -> None:
    with provider.get_tracer("shop").start_as_current_span("order"):
        spoken = current()
        receipt = enqueue(JOB)

    assert carried(spoken) == spoken != ""
    assert ledger().redis.hget(f"invitations:record:{receipt.id}", "trace") == spoken
    assert simulator.stats()["accounts"] == {}


def test_a_record_without_a_trace_holds_nothing_of_it(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.ledger.accept([Entry("with", "a", "a", "1", "job", 0, DAY_MS, trace=TRACEPARENT)])
    line.ledger.accept([Entry("without", "a", "a", "1", "job", 0, DAY_MS)])

    kept = {one: set(real_redis.hkeys(f"invitations:record:{one}")) for one in ("with", "without")}

    assert kept["with"] - kept["without"] == {"trace"}
    assert "trace" not in kept["without"]
    assert {one: line.claim(one).trace for one in line.admit()} == {"with": TRACEPARENT, "without": ""}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (TRACEPARENT, TRACEPARENT),
        (TRACEPARENT[:-2] + "00", TRACEPARENT[:-2] + "00"),
        (TRACEPARENT.upper(), ""),
        (TRACEPARENT + "\n", ""),
        ("00-" + "0" * 32 + TRACEPARENT[35:], ""),
        (TRACEPARENT[:36] + "0" * 16 + "-01", ""),
        ("jane@example.com", ""),
        ("x" * 100_000, ""),
        ("", ""),
        (None, ""),
        ([TRACEPARENT], ""),
    ],
)
def test_what_is_no_traceparent_is_not_kept(said: object, kept: str) -> None:
    assert carried(said) == kept


@pytest.mark.parametrize("variable", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_it_traces_where_an_exporter_is_configured_and_installed(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Tracing()
    here.begin()
    assert here.spans is None, "nothing is configured"

    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.setattr("worker.tracing.EXPORTER", "opentelemetry.not_installed.http")
    here.begin()
    assert here.spans is None, "nothing is installed"

    monkeypatch.undo()
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    here.begin()
    assert here.spans is None, "traces are not wanted"

    monkeypatch.delenv("OTEL_TRACES_EXPORTER")
    here.begin()
    assert isinstance(here.spans, Spans)


def test_what_is_left_is_exported_at_the_end_and_a_silent_collector_holds_nobody_up(
    provider: TracerProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported, goes_on = Event(), Event()

    def flush(timeout_millis: int = 0) -> bool:
        exported.set()
        return goes_on.wait(30)

    monkeypatch.setattr(provider, "force_flush", flush)
    here = Tracing()
    here.end()
    assert not exported.is_set(), "nothing is traced"

    here.spans = Spans(provider)
    here.end()

    assert exported.is_set()
    goes_on.set()


def test_a_worker_that_traces_nothing_imports_nothing_of_it() -> None:
    asked = "import sys, tasks.deliver as d; d.tracing.begin(); print('worker.spans' in sys.modules)"

    ran = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "False"
