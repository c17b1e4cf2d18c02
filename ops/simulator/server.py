"""The HTTP side: Tornado's connections without its request handlers, which cost throughput."""

import asyncio
import socket
import ssl
import time
from collections.abc import Coroutine
from typing import cast

from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)

from ops.simulator.control import parse_changes
from ops.simulator.delivery import reset, send_huge, send_trickling, send_whole
from ops.simulator.engine import Answer, Engine
from ops.simulator.faults import Delivery
from ops.simulator.options import SimulatorOptions
from ops.simulator.wire import Reply, Request, json_reply, parse_target

_MAX_BODY = 1024 * 1024
_BACKLOG = 1024


class SimulatorServer(HTTPServerConnectionDelegate):
    """Serves one engine on one port, in the event loop that is running when it is started."""

    def __init__(self, options: SimulatorOptions) -> None:
        self.engine = Engine(options)
        self._options = options
        self._http = HTTPServer(self, max_body_size=_MAX_BODY, ssl_options=_tls(options.certificate))
        self._tasks: set[asyncio.Task[None]] = set()
        self._own = {("GET", "/_stats"): self._stats, ("GET", "/_calls"): self._calls}

    def start(self) -> str:
        """Listen, and say where: "http://127.0.0.1:8900". Raises OSError that says what to do about it."""
        host = self._options.host
        listening = _listen(host, self._options.port)
        self._http.add_socket(listening)
        shown = f"[{host}]" if ":" in host else host
        scheme = "https" if self._options.certificate else "http"
        return f"{scheme}://{shown}:{listening.getsockname()[1]}"

    async def stop(self) -> None:
        """Close every connection, those with unanswered calls too."""
        self._http.stop()
        for task in self._tasks:
            task.cancel()
        await self._http.close_all_connections()

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Tornado's hook: one message delegate for each request."""
        return _Exchange(self, cast(HTTP1Connection, request_conn))

    def handle(self, connection: HTTP1Connection, request: Request) -> None:
        """Answer one complete request, now or later."""
        if request.path.startswith("/_"):
            send_whole(connection, self._about_itself(request))
            return
        answer = self.engine.answer(request)
        if answer is None:
            send_whole(connection, json_reply(404, {"error": "No provider has this path."}))
        elif answer.latency_ms:
            seconds = answer.latency_ms / 1000
            asyncio.get_running_loop().call_later(seconds, self._deliver, connection, answer)
        else:
            self._deliver(connection, answer)

    def _deliver(self, connection: HTTP1Connection, answer: Answer) -> None:
        if connection.stream.closed():
            answer.record.status = 0
            return
        if answer.retry_after_ends_ns is not None:
            answer.account.close(time.time_ns(), answer.retry_after_ends_ns)
        match answer.delivery:
            case Delivery.WHOLE:
                send_whole(connection, answer.reply)
            case Delivery.RESET:
                reset(connection)
            case Delivery.TRICKLE:
                self._spawn(send_trickling(connection, answer.reply))
            case Delivery.HUGE:
                self._spawn(send_huge(connection, answer.reply, self._options.huge_bytes))
            case Delivery.HANG:
                return

    def _spawn(self, sending: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(sending)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _about_itself(self, request: Request) -> Reply:
        if (request.method, request.path) == ("POST", "/_control"):
            return self._change(request.body)
        answer = self._own.get((request.method, request.path))
        if answer is None:
            return json_reply(404, {"error": "Expected GET /_stats, GET /_calls or POST /_control."})
        return answer()

    def _stats(self) -> Reply:
        return json_reply(200, self.engine.state.stats())

    def _calls(self) -> Reply:
        return json_reply(200, self.engine.state.calls())

    def _change(self, body: bytes) -> Reply:
        try:
            self.engine.change(parse_changes(body))
        except ValueError as error:
            return json_reply(400, {"error": str(error)})
        return json_reply(200, {"changed": True})


def _tls(certificate: str | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate)
    except OSError as error:
        advice = "expected a PEM file with a certificate and its key"
        raise OSError(error.errno, f"cannot use {certificate}: {advice}") from None
    return context


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]
        advice = "choose another host or port, or stop what uses this one"
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {reason}; {advice}") from None
    listening.setblocking(False)
    return listening


class _Exchange(HTTPMessageDelegate):
    """Collects one request and hands it over when it is complete."""

    def __init__(self, server: SimulatorServer, connection: HTTP1Connection) -> None:
        self._server = server
        self._connection = connection
        self._method = ""
        self._target = ""
        self._headers = HTTPHeaders()
        self._chunks: list[bytes] = []

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> None:
        self._method, self._target = cast(RequestStartLine, start_line)[:2]
        self._headers = headers

    def data_received(self, chunk: bytes) -> None:
        self._chunks.append(chunk)

    def finish(self) -> None:
        path, query = parse_target(self._target)
        body = b"".join(self._chunks)
        request = Request(self._method, path, query, self._headers, body, time.time_ns())
        self._server.handle(self._connection, request)
