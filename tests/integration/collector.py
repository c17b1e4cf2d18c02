"""A collector of traces as OpenTelemetry has it, on this machine: it keeps what exporters send, and how it came."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple

from google.protobuf.json_format import MessageToJson  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Seen(NamedTuple):
    """A span: ids in hexadecimal, `parent` empty where there is none."""

    trace: str
    id: str
    parent: str
    name: str
    told: dict[str, str | int | bool]
    began: int


class Collector:
    """`bodies` are the requests as they came; `url` is for OTEL_EXPORTER_OTLP_ENDPOINT."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.bodies: list[bytes] = []

    @property
    def text(self) -> str:
        """All that came, with its binary parts in base64."""
        return "\n".join(MessageToJson(ExportTraceServiceRequest.FromString(body)) for body in self.bodies)

    def spans(self, trace: str) -> list[Seen]:
        """Of one trace, in the order in which they began."""
        found: list[Seen] = []
        for body in list(self.bodies):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                found += [_seen(span) for scope in resource.scope_spans for span in scope.spans]
        return sorted((span for span in found if span.trace == trace), key=lambda span: span.began)


@contextmanager
def collecting() -> Iterator[Collector]:
    """Until the end of the `with`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(server)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield collector
    server.shutdown()
    server.server_close()
    thread.join()


def _seen(span: Any) -> Seen:
    told = {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}
    trace, own, parent = (part.hex() for part in (span.trace_id, span.span_id, span.parent_span_id))
    return Seen(trace, own, parent, span.name, told, span.start_time_unix_nano)
