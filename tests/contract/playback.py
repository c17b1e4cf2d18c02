"""A real HTTP server on loopback that answers what it is told, misbehaves on demand and keeps what it was
asked."""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from time import sleep
from typing import Any

RESET = struct.pack("ii", 1, 0)
PHRASES = {200: "OK", 201: "Created", 302: "Found", 429: "Too Many Requests"}


@dataclass(frozen=True)
class Asked:
    """One request as it came over the wire; header names in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Act:
    """What the server does with one request: sends `chunks` with a pause (seconds) after each, and then keeps
    the connection, closes it, resets it, or holds it open in silence."""

    chunks: tuple[bytes, ...] = ()
    pause: float = 0.0
    end: str = "keep"


def answer(status: int, body: Any = "", headers: dict[str, str] | None = None, *, length: int | None = None) -> Act:
    """A well-formed answer; `length` belies its Content-Length."""
    content = (body if isinstance(body, str) else json.dumps(body)).encode()
    lines = {"Content-Type": "application/json", **(headers or {})}
    lines["Content-Length"] = str(len(content) if length is None else length)
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    start = f"HTTP/1.1 {status} {PHRASES.get(status, 'Whatever')}\r\n"
    return Act((f"{start}{head}\r\n".encode() + content,), end="keep" if length is None else "close")


@dataclass
class Playback:
    """The server; `script` holds an act for each request to come, `asked` what came, `sent` how many bytes left."""

    script: list[Act] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    reads: bool = True
    refuses: float = 0.0
    connections: int = 0
    sent: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def accept(self, listener: socket.socket) -> None:
        if self.refuses:
            sleep(self.refuses)
            listener.listen()
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        with suppress(OSError), raw:
            if not self.reads:
                raw.recv(1, socket.MSG_PEEK)
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                return
            connection = self.tls.wrap_socket(raw, server_side=True) if self.tls else raw
            with connection, connection.makefile("rb") as stream:
                while (request := _read(stream)) and self._play(connection, request):
                    pass

    def _play(self, connection: socket.socket, request: Asked) -> bool:
        """Plays the next act; whether the connection stays. A request too many is kept and not answered."""
        self.asked.append(request)
        act = self.script[len(self.asked) - 1] if len(self.asked) <= len(self.script) else Act(end="close")
        for chunk in act.chunks:
            connection.sendall(chunk)
            self.sent += len(chunk)
            sleep(act.pause)
        if act.end == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        if act.end == "hang":
            connection.recv(1)
        return act.end == "keep"


def _read(stream: Any) -> Asked | None:
    line = stream.readline().decode().strip()
    headers = {}
    while header := stream.readline().decode().strip():
        name, _, value = header.partition(": ")
        headers[name.lower()] = value
    return Asked(line, headers, stream.read(int(headers.get("content-length", 0)))) if line else None


@contextmanager
def full_up(address: str, port: int = 0) -> Iterator[int]:
    """The port of a listener on `address` that leaves every further connection waiting."""
    with ExitStack() as open_sockets:
        listener = open_sockets.enter_context(socket.create_server((address, port), backlog=0))
        for _ in range(3):
            waiting = open_sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@contextmanager
def playback(
    *script: Act, tls: ssl.SSLContext | None = None, reads: bool = True, refuses: float = 0.0
) -> Iterator[Playback]:
    """A server for the length of the block. Without `reads` it resets every connection as soon as
    something comes; for the first `refuses` seconds it refuses them."""
    server = Playback(list(script), tls=tls, reads=reads, refuses=refuses)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server.port = listener.getsockname()[1]
        if not refuses:
            listener.listen()
        accepting = threading.Thread(target=server.accept, args=(listener,))
        accepting.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
