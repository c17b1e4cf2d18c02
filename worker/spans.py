"""The spans of this process, made with OpenTelemetry's SDK. Import it through worker.tracing alone.

The instrumentations of Celery and requests are not used. A delivery is no Celery message and a call has no session, so
neither would see one; and the second tells whole addresses, in which credentials stand.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from celery.exceptions import TaskPredicate
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

NAME = "invitations"
FIRST_ERROR = 400
LAST_EXPORT_SECONDS = 1.0


class Spans:
    """What each begins ends with it, or with its `with`. Attributes: an invitation's id, account, state and reason; of
    a call its method, host, path and status."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(NAME)

    def end(self) -> None:
        """Exports what is left. A collector that does not answer delays the end of the worker by a second: left to
        itself the SDK waits for ten, or for as many tries as it makes."""
        flushing = Thread(target=self._provider.force_flush, daemon=True)
        flushing.start()
        flushing.join(LAST_EXPORT_SECONDS)

    def accepting(self, traceparents: Iterable[str]) -> list[Span]:
        """One for each job that is being accepted."""
        kind = SpanKind.CONSUMER
        return [self._tracer.start_span("accept", context=_context(one), kind=kind) for one in traceparents]

    def accepted(self, spans: Sequence[Span], told: Iterable[dict[str, Any]]) -> None:
        for span, one in zip(spans, told, strict=True):
            span.set_attributes(_named(one))
            span.end()

    @contextmanager
    def attempt(self, traceparent: str, told: dict[str, Any]) -> Iterator[None]:
        with self._span("deliver", SpanKind.CONSUMER, _named(told), _context(traceparent)):
            yield

    def tell(self, told: dict[str, Any]) -> None:
        get_current_span().set_attributes(_named(told))

    @contextmanager
    def call(self, method: str, root: str, path: str) -> Iterator[None]:
        told = {"http.request.method": method, "server.address": urlsplit(root).hostname or "", "url.path": path}
        with self._span(method, SpanKind.CLIENT, told):
            yield

    def answered(self, answer: int | str) -> None:
        span = get_current_span()
        span.set_attribute("http.response.status_code" if isinstance(answer, int) else "error.type", answer)
        if isinstance(answer, str) or answer >= FIRST_ERROR:
            span.set_status(StatusCode.ERROR)

    @contextmanager
    def _span(self, name: str, kind: SpanKind, told: dict[str, Any], context: Context | None = None) -> Iterator[None]:
        with self._tracer.start_as_current_span(
            name,
            context=context,
            kind=kind,
            attributes=told,
            # What an error says may repeat an address or a credential.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except TaskPredicate:
                raise
            except Exception as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(StatusCode.ERROR)
                raise


def exporting() -> Spans:
    """Sent to where the variables of OpenTelemetry say: https://opentelemetry.io/docs/specs/otel/protocol/exporter/"""
    resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", NAME)})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Spans(provider)


def _named(told: dict[str, Any]) -> dict[str, Any]:
    return {f"invitation.{name}": value for name, value in told.items()}


def _context(traceparent: str) -> Context | None:
    return TraceContextTextMapPropagator().extract({"traceparent": traceparent}) if traceparent else None
