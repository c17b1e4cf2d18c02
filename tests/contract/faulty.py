"""What a network and a server do at their worst. A fault is a context: inside it, its address can be called."""

import gzip
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import sleep
from typing import Any
from unittest.mock import patch

from tasks.providers import http
from tests.contract.certificates import write_certificate
from tests.contract.playback import Act, Playback, answer, full_up, playback

MIB = 1024 * 1024
HUNDRED_MIB = 100 * MIB
NAME = "provider.invalid"


@dataclass(frozen=True)
class Wire:
    """Where the fault is; the server that may be asked there, and the one that must never be."""

    url: str
    server: Playback = field(default_factory=Playback)
    elsewhere: Playback = field(default_factory=Playback)


Fault = Callable[[], AbstractContextManager[Wire]]


def plays(act: Act) -> Fault:
    """The request is read, and this comes back: to each, so that a call that is repeated is seen."""

    @contextmanager
    def fault() -> Iterator[Wire]:
        with playback(act, act, act) as server:
            yield Wire(server.url, server)

    return fault


def says(status: int, body: Any = "", **headers: str) -> Fault:
    """A well-formed answer. In the names of headers _ stands for -."""
    return plays(answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()}))


def sends(*chunks: bytes, pause: float = 0.0, end: str = "close") -> Fault:
    """These bytes for an answer, with a pause (seconds) after each chunk."""
    return plays(Act(chunks, pause, end))


def sends_body(body: bytes, *headers: str, status: str = "200 OK") -> Fault:
    """A body as it stands on the wire, with its length, and headers of one's own."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return sends("\r\n".join(lines).encode() + body)


def floods(head: bytes, chunk: bytes) -> Fault:
    """A hundred MiB, or as much as anybody takes."""
    return plays(Act((head, *[chunk] * (HUNDRED_MIB // len(chunk))), end="close"))


def floods_packed(times: int = 1) -> Fault:
    """A hundred MiB, packed so many times: little on the wire."""

    @contextmanager
    def fault() -> Iterator[Wire]:
        packing = ", ".join(["gzip"] * times)
        with sends_body(_packed(times), f"Content-Encoding: {packing}")() as wire:
            yield wire

    return fault


@cache
def _packed(times: int) -> bytes:
    return gzip.compress(_packed(times - 1) if times > 1 else bytes(HUNDRED_MIB))


@contextmanager
def resets_unread() -> Iterator[Wire]:
    """The connection is reset before anything of the request is read."""
    with playback(reads=False) as server:
        yield Wire(server.url, server)


@contextmanager
def refuses() -> Iterator[Wire]:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        yield Wire(f"http://127.0.0.1:{nobody.getsockname()[1]}")


@contextmanager
def takes_no_connections() -> Iterator[Wire]:
    with full_up("127.0.0.1") as port:
        yield Wire(f"http://127.0.0.1:{port}")


@contextmanager
def is_not_found() -> Iterator[Wire]:
    gone = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    with patch.object(socket, "getaddrinfo", side_effect=gone):
        yield Wire(f"https://{NAME}")


@contextmanager
def is_looked_up_in_vain() -> Iterator[Wire]:
    """The system's resolver does not come back."""
    over = Event()
    with patch.object(socket, "getaddrinfo", side_effect=lambda *_, **__: over.wait(60) and []):
        yield Wire(f"https://{NAME}")
        over.set()


def redirects(status: int) -> Fault:
    """To another host, with what the address held."""

    @contextmanager
    def fault() -> Iterator[Wire]:
        with playback() as elsewhere:
            there = {"Location": f"{elsewhere.url}/api/elsewhere?code=code-of-shop-7"}
            with playback(answer(status, "", there)) as server:
                yield Wire(server.url, server, elsewhere)

    return fault


@contextmanager
def redirects_to_plain_http() -> Iterator[Wire]:
    """From https, whose certificate is good, to http on the same host."""
    with playback() as elsewhere, _tls(trusted=True) as context:
        there = answer(302, "", {"Location": f"{elsewhere.url}/api/elsewhere"})
        with playback(there, tls=context) as server:
            yield Wire(server.url, server, elsewhere)


def shows_certificate(host: str = "127.0.0.1", *, expired: bool = False, trusted: bool = True) -> Fault:
    @contextmanager
    def fault() -> Iterator[Wire]:
        with _tls(host, expired=expired, trusted=trusted) as context, playback(tls=context) as server:
            yield Wire(server.url, server)

    return fault


@contextmanager
def shakes_no_hands() -> Iterator[Wire]:
    """Takes connections, and says nothing to those who begin TLS."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield Wire(f"https://127.0.0.1:{silent.getsockname()[1]}")


@contextmanager
def shakes_hands_slowly() -> Iterator[Wire]:
    """Begins TLS, one byte after the other."""
    with socket.create_server(("127.0.0.1", 0)) as slow:
        Thread(target=_trickle, args=(slow, b"\x16\x03\x03\x40\x00" + bytes(100)), daemon=True).start()
        yield Wire(f"https://127.0.0.1:{slow.getsockname()[1]}")


def _trickle(server: socket.socket, text: bytes) -> None:
    with suppress(OSError):
        connection, _ = server.accept()
        with connection:
            for byte in text:
                connection.sendall(bytes([byte]))
                sleep(0.1)


@contextmanager
def _tls(host: str = "127.0.0.1", *, expired: bool = False, trusted: bool = False) -> Iterator[ssl.SSLContext]:
    """A server's TLS; where it is `trusted`, its certificate is one of those that vouch for others."""
    with TemporaryDirectory() as folder:
        file = write_certificate(Path(folder), host, expired=expired)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        with patch.object(http, "trusted", lambda: str(file)) if trusted else nullcontext():
            yield context
