"""A provider that repeats whatever it was asked, in every place that an answer has, and misbehaves in other ways.

The first part of a path names the way, so an account meets it by its `base_url`: one of WAYS; with `token-` before it
where access tokens are fetched, too; with `list-` before it where invitations are listed, and only there.
"""

import json
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SO_LINGER, SOL_SOCKET
from time import sleep
from typing import Any
from urllib.parse import quote, unquote_plus

from tests.resilience.canaries import FETCHED

RESET = struct.pack("ii", 1, 0)
TOKEN_PATH = "api/v2/oauth2/token"
HANG_SECONDS = 3


class Handler(BaseHTTPRequestHandler):
    """One connection; `echo` is what it was asked, as it came and as a person reads it."""

    protocol_version = "HTTP/1.1"
    echo = ""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        asked = f"{self.requestline}\n{self.headers}\n{body}"
        self.echo = f"{asked}\n{unquote_plus(asked)}"
        _, way, path = self.path.split("/", 2)
        with suppress(OSError):
            if path.startswith(TOKEN_PATH) and not way.startswith("token-"):
                self.say(200, {"access_token": FETCHED, "expires_on": "January, 01 2099 00:00:00 +0000"})
            elif way.startswith("list-") and self.command == "POST":
                WAYS["good"](self)
            else:
                WAYS[way.removeprefix("token-").removeprefix("list-")](self)

    do_POST = do_GET  # noqa: N815

    def say(self, status: int, body: Any, phrase: str = "", **headers: str) -> None:
        """An answer; what is no text goes out as JSON."""
        content = body if isinstance(body, str) else json.dumps(body)
        kind = "text/html" if isinstance(body, str) else "application/json"
        lines = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
        lines["Content-Length"] = str(len(content.encode()))
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.wfile.write(f"HTTP/1.1 {status} {phrase or 'Whatever'}\r\n{head}\r\n{content}".encode())

    @property
    def line(self) -> str:
        """The echo in one line, as a header can hold it."""
        return " ".join(self.echo.split())[:4000].encode("latin-1", "replace").decode("latin-1")

    def page(self, status: int, **headers: str) -> None:
        self.say(status, f"<html><body><h1>Sorry</h1><pre>{self.echo}</pre></body></html>", **headers)

    def refuse(self, status: int) -> None:
        """In the form of all three providers at once."""
        said = {"status": "error", "success": False, "error": True, "errors": {"email": [self.echo], self.echo: "no"}}
        self.say(status, {**said, "message": self.echo, "error_description": self.echo})

    def reset(self) -> None:
        self.connection.setsockopt(SOL_SOCKET, SO_LINGER, RESET)
        self.connection.close()
        self.close_connection = True

    def raw(self, text: str) -> None:
        self.wfile.write(text.encode())
        self.close_connection = True

    def hang(self) -> None:
        self.raw("HTTP/1.1 200 OK\r\nX-Echo: ")
        for letter in self.line[:HANG_SECONDS]:
            self.raw(letter)
            sleep(1)

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""


WAYS: dict[str, Callable[[Handler], None]] = {
    "good": lambda call: call.say(
        201, {"status": "success", "success": True, "message": call.echo, "customer": {"id": 7}, "invitations": []}
    ),
    "page-200": lambda call: call.page(200),
    "page-401": lambda call: call.page(401, WWW_Authenticate=f'Basic realm="{call.line}"'),
    "page-403": lambda call: call.page(403),
    "page-404": lambda call: call.page(404),
    "page-500": lambda call: call.page(500),
    "refused-200": lambda call: call.refuse(200),
    "refused-400": lambda call: call.refuse(400),
    "refused-401": lambda call: call.refuse(401),
    "refused-403": lambda call: call.refuse(403),
    "refused-422": lambda call: call.refuse(422),
    "refused-500": lambda call: call.refuse(500),
    "reference": lambda call: call.say(201, {"success": True, "status": call.echo, "customer": {"id": call.echo}}),
    "nonsense": lambda call: call.say(200, {call.echo: call.echo, "message": [call.echo], "status": {"a": call.echo}}),
    "throttled": lambda call: call.page(429, Retry_After="1"),
    "throttled-words": lambda call: call.page(429, Retry_After=call.line),
    "maintenance": lambda call: call.page(503, Retry_After="1"),
    "limits": lambda call: call.page(500, X_RateLimit_Limit=call.line, X_RateLimit_Remaining=call.line, Date=call.line),
    "cookie": lambda call: call.page(500, Set_Cookie=f"said={quote(call.line)}; Domain={call.line[:60]}"),
    "phrase": lambda call: call.say(500, "", call.line),
    "bad-line": lambda call: call.raw(f"{call.line}\r\n\r\n"),
    "bad-header": lambda call: call.raw(f"HTTP/1.1 200 OK\r\n{call.line}\r\n broken: {call.line}\r\n\r\n{call.echo}"),
    "bad-length": lambda call: call.raw(f"HTTP/1.1 200 OK\r\nContent-Length: {call.line}\r\n\r\n{call.echo}"),
    "bad-chunk": lambda call: call.raw(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{call.line}\r\n"),
    "bad-packed": lambda call: call.page(200, Content_Encoding="gzip"),
    "half": lambda call: call.raw(f'HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n{{"message": "{call.line}'),
    "redirect": lambda call: call.say(302, call.echo, Location=f"http://127.0.0.1:9{call.path}#{call.line}"),
    "redirect-bad": lambda call: call.say(307, call.echo, Location=f"http://[{call.line}"),
    "reset": Handler.reset,
    "hang": Handler.hang,
}
"""By its name, what is done with a call."""


@contextmanager
def echo_provider() -> Iterator[str]:
    """Its host and port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    serving.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        serving.join()
