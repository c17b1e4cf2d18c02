"""A little reverse proxy, as one stands before Flower: it passes on what lies under one path, unchanged."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

OF_ONE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True
    target: int
    path: str


class _Handler(BaseHTTPRequestHandler):
    server: _Proxy
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        if not self.path.startswith(self.server.path):
            self.send_error(404)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        connection = HTTPConnection("127.0.0.1", self.server.target, timeout=20)
        connection.request(self.command, self.path, body, dict(self.headers.items()))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in OF_ONE_CONNECTION:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def reverse_proxy(target: int, path: str) -> Iterator[str]:
    """The address of a proxy that passes what lies under `path` on to the local port `target`."""
    proxy = _Proxy(("127.0.0.1", 0), _Handler)
    proxy.target, proxy.path = target, path
    thread = Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{proxy.server_port}{path.rstrip('/')}"
    proxy.shutdown()
    proxy.server_close()
    thread.join()
