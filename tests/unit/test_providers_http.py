"""What one HTTP call takes from its surroundings, and what it leaves behind."""

import logging
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import pytest

from config.settings import settings
from tasks.outcome import CredentialsRefused, Unavailable, Unclear
from tasks.providers import connection, http
from tasks.providers.base import Reply, Request
from tasks.providers.deadline import Deadline
from tests.contract.certificates import write_certificate
from tests.contract.playback import Act, Playback, answer, full_up, playback
from tests.support import Stopwatch

GET = Request("GET", "/api/x", query={"code": "code-of-shop-7"})
OK = answer(200, {"status": "success"})


def send(server: Playback, request: Request = GET, timeout: float = 5, scheme: str = "http") -> object:
    return http.send(f"{scheme}://127.0.0.1:{server.port}", request, Deadline(timeout))


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return write_certificate(tmp_path)


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("INVITATIONS_CA_FILE", str(certificate))
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(tls: ssl.SSLContext) -> None:
    with playback(OK, tls=tls) as server:
        outcome = send(server, scheme="https")
        sleep(0.05)

    assert outcome == Unavailable(
        "the provider's TLS certificate was not accepted: check base_url and the time of this machine"
    )
    assert server.connections == 1
    assert server.asked == []


@pytest.mark.usefixtures("trusted")
def test_the_deadline_holds_over_tls(tls: ssl.SSLContext) -> None:
    trickle = Act((b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", *[b"x"] * 100), pause=0.05)
    with playback(OK, trickle, tls=tls) as server:
        assert isinstance(send(server, scheme="https"), Reply)
        with Stopwatch() as watch:
            late = send(server, scheme="https", timeout=0.5)

        assert late == Unclear("no whole answer from the provider in time")
        assert watch.seconds < 0.8
        assert server.connections == 1


def test_a_tls_handshake_without_end_is_bounded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, Stopwatch() as watch:
        outcome = http.send(f"https://127.0.0.1:{silent.getsockname()[1]}", GET, Deadline(0.5))

    assert outcome == Unavailable("no connection to the provider in time")
    assert watch.seconds < 0.9


def test_no_time_left_means_nothing_sent() -> None:
    nothing_sent = Unavailable("no connection to the provider in time")
    with playback(OK, OK) as server:
        assert send(server, timeout=0) == nothing_sent
        assert isinstance(send(server), Reply)
        assert send(server, timeout=0) == nothing_sent
        assert len(server.asked) == 1


def test_a_big_request_that_nobody_reads_is_bounded_and_unclear() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf, Stopwatch() as watch:
        big = Request("POST", "/api/x", json={"text": "x" * 20_000_000})
        outcome = http.send(f"http://127.0.0.1:{deaf.getsockname()[1]}", big, Deadline(2))

    assert outcome == Unclear("no whole answer from the provider in time")
    assert watch.seconds < 2.6


def test_no_cookies_are_kept() -> None:
    with playback(answer(200, {}, {"Set-Cookie": "session=of-another-account; Path=/"}), OK) as server:
        send(server)
        send(server)

    assert "cookie" not in server.asked[1].headers


def test_neither_netrc_nor_proxies_are_taken_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with playback(OK) as proxy, playback(OK) as server:
        for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(variable, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        send(server)

    assert proxy.connections == 0
    assert "authorization" not in server.asked[0].headers


def test_an_idle_connection_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "IDLE_SECONDS", 0.1)
    with playback(OK, OK) as server:
        send(server)
        sleep(0.15)
        assert isinstance(send(server), Reply)

        assert server.connections == 2
        assert len(server.asked) == 2


def test_threads_share_no_connection() -> None:
    with playback(OK, OK) as server:
        send(server)
        other = Thread(target=send, args=(server,))
        other.start()
        other.join()

        assert server.connections == 2


@pytest.mark.parametrize("secret", ["…", "line\nbreak", "snow☃man"])
def test_credentials_that_no_header_holds_are_refused_and_not_shown(secret: str) -> None:
    with playback(OK) as server:
        outcome = send(server, Request("GET", "/api/x", headers={"Authorization": f"Bearer {secret}"}))

        assert isinstance(outcome, CredentialsRefused)
        assert secret not in outcome.reason
        assert server.asked == []


@pytest.fixture
def two_addresses(monkeypatch: pytest.MonkeyPatch) -> str:
    """A host whose first address is 127.0.0.2 and whose second is 127.0.0.1."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *given: Any, **named: Any) -> Any:
        if host != "provider.example":
            return resolve(host, port, *given, **named)
        addresses = ("127.0.0.2", "127.0.0.1")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return "provider.example"


def test_the_first_address_of_a_host_may_refuse(two_addresses: str) -> None:
    with playback(OK) as server:
        reply = http.send(f"http://{two_addresses}:{server.port}", GET, Deadline(5))

    assert isinstance(reply, Reply)
    assert server.asked[0].headers["host"] == f"{two_addresses}:{server.port}"


def test_the_first_address_of_a_host_may_be_silent(two_addresses: str) -> None:
    with playback(OK) as server, full_up("127.0.0.2", server.port):
        reply = http.send(f"http://{two_addresses}:{server.port}", GET, Deadline(1))

    assert isinstance(reply, Reply)
    assert len(server.asked) == 1


def test_every_logger_below_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    known = logging.Logger.manager.loggerDict.items()
    loggers = {name for name, logger in known if isinstance(logger, logging.Logger)}
    names = [name for name in loggers if name.split(".")[0] in ("urllib3", "requests")]
    assert "urllib3.connectionpool" in names
    for name in names:
        caplog.set_level("DEBUG", logger=name)
        logging.getLogger(name).error("/api/x?code=code-of-shop-7")

    assert caplog.text == ""


def test_nothing_readable_in_a_repr() -> None:
    request = Request("POST", "/api/x", {"code": "secret"}, {"Authorization": "secret"}, {"a": "secret"}, "secret")
    reply = Reply(200, {"Set-Cookie": "secret"}, b"secret", {"a": "secret"})

    assert repr(request) == "Request(POST /api/x)"
    assert repr(reply) == "Reply(status=200)"
