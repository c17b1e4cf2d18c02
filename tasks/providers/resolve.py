"""Looks hosts up within a deadline, which the system's own resolver does not know."""

import socket
from concurrent.futures import Future
from threading import Thread

Addresses = list[str]


def resolve(host: str, port: int, seconds: float) -> Addresses:
    """The addresses of `host` for TCP, best first.

    A resolver that does not answer is left behind in a thread of its own, which ends when the system gives up and holds
    up nobody, the end of the process included.

    Raises:
        socket.gaierror: the host was not found, or not within `seconds`.
    """
    found: Future[Addresses] = Future()
    Thread(target=_look_up, args=(host, port, found), name="resolve", daemon=True).start()
    try:
        return found.result(max(seconds, 0))
    except TimeoutError:
        raise socket.gaierror(socket.EAI_AGAIN, "the resolver did not answer in time") from None


def _look_up(host: str, port: int, found: Future[Addresses]) -> None:
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found.set_result([str(address[0]) for *_, address in answers])
    except Exception as error:
        found.set_exception(error)
