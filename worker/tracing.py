"""Traces with OpenTelemetry: one from the producer to the provider, across the line and every attempt.

Where the extra `traces` is not installed, or no OTLP exporter is configured (OTEL_EXPORTER_OTLP_ENDPOINT), nothing is
traced and nothing of it is imported here; what a producer says of its trace is carried on all the same.
"""

import os
import re
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from itertools import islice, repeat
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from worker.spans import Spans

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
OTLP = "otlp"
EXPORTER = "opentelemetry.exporter.otlp.proto.http"
TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
"""https://www.w3.org/TR/trace-context/#traceparent-header"""
UNTRACED = repeat("")
NOTHING = nullcontext()


class Tracing:
    """Of this process. `spans` is None where nothing is traced."""

    def __init__(self) -> None:
        self.spans: Spans | None = None

    def begin(self) -> None:
        """Traces from now on, if an exporter is configured and the extra installed."""
        wanted = os.environ.get("OTEL_TRACES_EXPORTER", OTLP) == OTLP
        if wanted and any(map(os.environ.get, ENDPOINTS)) and _is_installed():
            self.spans = import_module("worker.spans").exporting()

    def end(self) -> None:
        """Sends what is left of them, for a second at most."""
        if self.spans:
            self.spans.end()

    def attempt(self, traceparent: str, **told: str | int) -> AbstractContextManager[None]:
        """One attempt to deliver, in the trace that the invitation carries."""
        return self.spans.attempt(traceparent, told) if self.spans else NOTHING

    def tell(self, **told: str | int) -> None:
        """Adds to the attempt that runs."""
        if self.spans:
            self.spans.tell(told)

    def call(self, method: str, root: str, path: str) -> AbstractContextManager[None]:
        """One HTTP call of an attempt. No query, header or body of it is told."""
        return self.spans.call(method, root, path) if self.spans else NOTHING

    def answered(self, answer: int | str) -> None:
        """What came of the call that runs: its status, or the name of what came instead."""
        if self.spans:
            self.spans.answered(answer)


class Accepting:
    """Jobs that are accepted at once, `number` of them. `given`: the traceparent of each one's producer, or ''.
    `traces`: what each carries from here on, which is its own span's where it is traced."""

    def __init__(self, given: Iterable[str], number: int) -> None:
        self.traces = given
        self._spans: list[Span] = []
        if tracing.spans:
            self._spans = tracing.spans.accepting(islice(given, number))
            self.traces = [traceparent_of(span) for span in self._spans]

    def end(self, told: Iterable[dict[str, str | bool]]) -> None:
        """All of them are accepted, each with what it came to."""
        if tracing.spans and self._spans:
            tracing.spans.accepted(self._spans, told)


def carried(traceparent: object) -> str:
    """What a producer says of its trace, where it is the W3C's traceparent; else ''. Whatever else somebody may write
    there is not kept."""
    return traceparent if isinstance(traceparent, str) and TRACEPARENT.fullmatch(traceparent) else ""


def current() -> str:
    """The traceparent of the span in which this is called, or ''."""
    # Whoever is in a span has imported it.
    api: Any = sys.modules.get("opentelemetry.trace")
    return traceparent_of(api.get_current_span()) if api else ""


def traceparent_of(span: Any) -> str:
    """Of an OpenTelemetry span; '' where it is in no trace."""
    at = span.get_span_context()
    return f"00-{at.trace_id:032x}-{at.span_id:016x}-{at.trace_flags:02x}" if at.is_valid else ""


def _is_installed() -> bool:
    try:
        return find_spec(EXPORTER) is not None
    except ModuleNotFoundError:
        return False


tracing = Tracing()
