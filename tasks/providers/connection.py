"""Connections that obey one deadline from end to end and know whether anything of a request went out.

A socket's own timeout begins anew with every byte, so an answer that trickles never runs into it. Here each
connect, write and read gets only what is left of the call's time, the status line and headers included.
"""

import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from threading import local
from time import monotonic
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from tasks.providers.deadline import Deadline
from tasks.providers.resolve import resolve

CONNECT_SECONDS = 5.0
IDLE_SECONDS = 3.0
MAX_RAW_BYTES = 2 * 1024 * 1024


class TooLarge(OSError):
    """More came back than any provider has to say."""


@dataclass(slots=True)
class Call:
    """The call that this thread makes; `sent` once a byte of the request may have left."""

    deadline: Deadline
    sent: bool = False


class _Current(local):
    call: Call


_current = _Current()


@contextmanager
def calling(deadline: Deadline) -> Iterator[Call]:
    """Binds this thread's connections to `deadline` for one call."""
    _current.call = Call(deadline)
    try:
        yield _current.call
    finally:
        del _current.call


class _TimedReader(io.RawIOBase):
    """Reads a socket within the deadline, and so much of it that no answer, however framed, fills the
    memory."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._deadline = _current.call.deadline
        self._left = MAX_RAW_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._deadline.check())
        count: int | None = self._raw.readinto(buffer)
        self._left -= count or 0
        if self._left < 0:
            raise TooLarge("the answer is too large")
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_TimedReader(sock))


class _Timed(HTTPConnection):
    """`is_connected` is false after a few idle seconds: a server that hangs up on an idle connection just as
    it is used again leaves behind a POST of which nobody knows whether it was read."""

    response_class = _Response
    _used = 0.0

    @property
    def is_connected(self) -> bool:
        return monotonic() - self._used < IDLE_SECONDS and super().is_connected

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self.sock.settimeout(_current.call.deadline.check())
        self._used = monotonic()
        _current.call.sent = True
        super().send(data)

    def _new_conn(self) -> socket.socket:
        """As in urllib3, but all addresses of the host share the time that each gets there."""
        deadline = Deadline(min(CONNECT_SECONDS, _current.call.deadline.check()))
        try:
            addresses = resolve(self._dns_host, self.port, deadline.left())
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        failure: OSError = TimeoutError()
        for index, address in enumerate(addresses):
            share = deadline.left() / (len(addresses) - index)
            try:
                sock = create_connection((address, self.port), max(share, 0.001), socket_options=self.socket_options)
                sock.settimeout(max(_current.call.deadline.left(), 0.001))
                return sock
            except OSError as error:
                failure = error
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, "no connection in time") from failure
        raise NewConnectionError(self, "no connection") from failure


class _TimedHttps(_Timed, HTTPSConnection):
    """The same over TLS."""


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Timed


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _TimedHttps


class Adapter(HTTPAdapter):
    """A pool of such connections that never repeats a request by itself."""

    def __init__(self) -> None:
        super().__init__(pool_connections=32, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
