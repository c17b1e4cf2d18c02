"""A server that is far away: a relay that hands on what it is sent only after a while."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

CHUNK = 65_536


class _Relay(ThreadingTCPServer):
    daemon_threads = True
    # Its threads end with their connections, which the client closes.
    block_on_close = False
    port = 0
    seconds = 0.0


class _Connection(BaseRequestHandler):
    server: _Relay

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.port)) as there:
            back = Thread(target=_pump, args=(there, self.request, 0.0), daemon=True)
            back.start()
            _pump(self.request, there, self.server.seconds)
            back.join()


def _pump(source: socket.socket, target: socket.socket, seconds: float) -> None:
    with suppress(OSError):
        while chunk := source.recv(CHUNK):
            time.sleep(seconds)
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def far_away(port: int, *, seconds: float) -> Iterator[int]:
    """The port of a relay to `port` of this host, which keeps back so long what is sent to it."""
    with _Relay(("127.0.0.1", 0), _Connection) as relay:
        relay.port, relay.seconds = port, seconds
        thread = Thread(target=relay.serve_forever, args=(0.05,))
        thread.start()
        yield int(relay.server_address[1])
        relay.shutdown()
        thread.join()
