"""What no provider documents and every one may do. Each test runs for every folder of recorded answers."""

import gzip
import json
import socket
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

import pytest

from tasks.outcome import Accepted, CredentialsRefused, Outcome, Throttled, Unavailable, Unclear
from tasks.providers.pipeline import Pipeline
from tests.contract.cases import PROVIDERS, Case, case, private
from tests.contract.conftest import Overheard
from tests.contract.playback import Act, Playback, answer, full_up, playback

TIMEOUT = 0.5
SLACK = 0.4
DATE = "Mon, 01 Jun 2026 10:00:00 GMT"
UNKNOWN_BODY = "the provider answered {} with a body that is none of its known answers"
HTML = "<html><body>jane@example.com</body></html>"

Deliver = Callable[..., Outcome]


@pytest.fixture(params=PROVIDERS)
def accepted(request: pytest.FixtureRequest) -> Case:
    """The plainest recorded success of each provider."""
    return case(request.param, "accepted")


@pytest.fixture
def deliver(accepted: Case, pipeline: Pipeline, overheard: Overheard) -> Deliver:
    """Delivers the case's job, and checks that it keeps to its time and to itself."""

    def call(base_url: str, timeout: float = TIMEOUT) -> Outcome:
        account = accepted.account(base_url)
        started = monotonic()
        answered = pipeline.deliver(account, accepted.job, timeout=timeout)
        assert monotonic() - started < timeout + SLACK
        overheard.say(answered)
        assert overheard.tells(private(account, accepted.job)) == []
        return answered.outcome

    return call


def is_whole(server: Playback, accepted: Case, times: int = 1) -> bool:
    """Whether the server was asked `times` times, each time with the whole request."""
    body = accepted.calls[0]["request"]["body"].encode()
    return [asked.body for asked in server.asked] == [body] * times


@pytest.mark.parametrize(
    ("headers", "wait_ms"),
    [
        ({"Retry-After": "7"}, 7_000),
        ({"Retry-After": "0.5"}, 500),
        ({"Retry-After": "-3"}, 0),
        ({"Retry-After": "Mon, 01 Jun 2026 10:01:00 GMT", "Date": DATE}, 60_000),
        ({"Retry-After": "Mon, 01 Jun 2026 12:00:05 GMT", "Date": "Mon, 01 Jun 2026 12:00:00 GMT"}, 5_000),
        ({"Retry-After": "Monday, 01-Jun-26 10:01:00 GMT"}, 60_000),
        ({"Retry-After": "Mon Jun  1 10:01:00 2026"}, 60_000),
        ({"Retry-After": "Mon, 01 Jun 2026 09:00:00 GMT"}, 0),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("body", [{"error": True, "message": "slow down"}, HTML, ""], ids=["json", "html", "none"])
def test_429(deliver: Deliver, body: Any, headers: dict[str, str], wait_ms: int | None) -> None:
    with playback(answer(429, body, headers)) as server:
        outcome = deliver(server.url)

    assert outcome == Throttled("the provider answered 429: too many calls", wait_ms)
    assert len(server.asked) == 1


def test_429_with_half_a_body_is_still_a_429(deliver: Deliver) -> None:
    with playback(answer(429, "half", {"Retry-After": "7"}, length=100)) as server:
        assert deliver(server.url) == Throttled("the provider answered 429: too many calls", 7_000)


def test_an_absurd_retry_after_is_capped_and_logged(deliver: Deliver, overheard: Overheard) -> None:
    with playback(answer(429, "", {"Retry-After": "9" * 60})) as server:
        outcome = deliver(server.url)

    assert outcome == Throttled("the provider answered 429: too many calls", 86_400_000)
    assert overheard.events == [
        {"event": "retry_after_capped", "log_level": "warning", "used_ms": 86_400_000},
    ]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "5"}, Throttled("the provider answered 503 and asked to wait", 5_000, maintenance=True)),
        ({"Retry-After": "soon"}, Unclear(UNKNOWN_BODY.format(503))),
        ({}, Unclear(UNKNOWN_BODY.format(503))),
    ],
)
def test_503(deliver: Deliver, headers: dict[str, str], expected: Outcome) -> None:
    with playback(answer(503, HTML, headers)) as server:
        assert deliver(server.url) == expected


@pytest.mark.parametrize("status", [500, 502, 504, 599])
def test_5xx_with_a_page_is_unclear(deliver: Deliver, status: int) -> None:
    with playback(answer(status, HTML)) as server:
        assert deliver(server.url) == Unclear(UNKNOWN_BODY.format(status))


@pytest.mark.parametrize("status", [401, 403])
def test_401_and_403_with_a_page_refuse_the_credentials(deliver: Deliver, status: int) -> None:
    with playback(answer(status, HTML)) as server:
        assert isinstance(deliver(server.url), CredentialsRefused)


@pytest.mark.parametrize("status", [400, 404, 405, 408, 410, 413, 418, 422, 425])
def test_any_other_4xx_with_a_page_loses_no_invitation(deliver: Deliver, status: int) -> None:
    with playback(answer(status, HTML)) as server:
        outcome = deliver(server.url)

    assert outcome == Unavailable(f"the provider answered {status} and gave no reason that is known: check base_url")


@pytest.mark.parametrize("body", [HTML, '{"status": "success", "mess', "[1, 2]", '"success"', "", "[" * 100_000])
@pytest.mark.parametrize("status", [200, 201])
def test_2xx_with_nonsense_is_unclear(deliver: Deliver, status: int, body: str) -> None:
    with playback(answer(status, body)) as server:
        assert deliver(server.url) == Unclear(UNKNOWN_BODY.format(status))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(deliver: Deliver, accepted: Case, status: int) -> None:
    with playback() as elsewhere:
        there = {"Location": f"{elsewhere.url}/api/elsewhere?code=code-of-shop-7"}
        with playback(answer(status, "", there)) as server:
            outcome = deliver(server.url)

    assert outcome == Unavailable(f"the provider answered with a redirect ({status}): check base_url")
    assert is_whole(server, accepted)
    assert elsewhere.connections == 0


def test_a_redirect_to_nowhere_is_a_redirect(deliver: Deliver) -> None:
    with playback(answer(302, "", {"Location": "http://[nowhere"})) as server:
        outcome = deliver(server.url)

    assert outcome == Unavailable("the provider answered with a redirect (302): check base_url")


def test_more_than_1_mib_is_unclear(deliver: Deliver) -> None:
    with playback(answer(200, "x" * (1024 * 1024 + 1))) as server:
        assert deliver(server.url, timeout=5) == Unclear("the provider's answer was larger than 1 MiB")


def test_exactly_1_mib_is_read(deliver: Deliver) -> None:
    with playback(answer(200, "x" * (1024 * 1024))) as server:
        assert deliver(server.url, timeout=5) == Unclear(UNKNOWN_BODY.format(200))


def test_a_small_answer_that_unpacks_to_more_than_1_mib_is_unclear(deliver: Deliver) -> None:
    packed = gzip.compress(b"x" * (200 * 1024 * 1024))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    with playback(Act((head + packed,))) as server:
        assert deliver(server.url, timeout=5) == Unclear("the provider's answer was larger than 1 MiB")


@pytest.mark.parametrize(
    ("start", "endless"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-More: more\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["trailers", "continue"],
)
def test_framing_without_end_is_unclear(deliver: Deliver, start: bytes, endless: bytes) -> None:
    with playback(Act((start, *[endless * 4_096] * 60), end="close")) as server:
        assert deliver(server.url, timeout=5) == Unclear("the provider's answer was larger than 1 MiB")


def test_a_packed_answer_is_unpacked(deliver: Deliver, accepted: Case) -> None:
    reply = accepted.calls[0]["reply"]
    packed = gzip.compress(json.dumps(reply["body"]).encode())
    head = f"HTTP/1.1 {reply['status']} OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    with playback(Act((head.encode() + packed,))) as server:
        assert deliver(server.url) == accepted.outcome


@pytest.mark.parametrize(
    "act",
    [
        Act((b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", *[b"x"] * 100), pause=0.05),
        Act(tuple(bytes([byte]) for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0"), pause=0.05),
        Act(end="hang"),
        Act((b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{",), end="hang"),
    ],
    ids=["body-trickles", "head-trickles", "silence", "body-stops"],
)
def test_an_answer_gets_the_time_of_the_call_and_no_more(deliver: Deliver, accepted: Case, act: Act) -> None:
    with playback(act) as server:
        assert deliver(server.url) == Unclear("no whole answer from the provider in time")
        assert is_whole(server, accepted)


@pytest.mark.parametrize(
    "act",
    [
        Act(end="reset"),
        Act(end="close"),
        Act((b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{",), end="reset"),
        Act((b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{",), end="close"),
        Act((b"nonsense\r\n\r\n",), end="close"),
    ],
    ids=["reset", "close", "half-then-reset", "half-then-close", "no-http"],
)
def test_a_lost_answer_is_unclear_and_never_asked_for_again(deliver: Deliver, accepted: Case, act: Act) -> None:
    with playback(act, act) as server:
        assert deliver(server.url) == Unclear("the connection broke before the provider's whole answer came")
        assert is_whole(server, accepted)


def test_a_reset_before_anything_is_read_is_unclear(deliver: Deliver) -> None:
    with playback(reads=False) as server:
        assert deliver(server.url) == Unclear("the connection broke before the provider's whole answer came")
        assert server.connections == 1
        assert server.asked == []


def test_refused_connections_are_tried_three_times(deliver: Deliver, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []
    resolve = socket.getaddrinfo

    def getaddrinfo(host: str, *given: Any, **named: Any) -> Any:
        if "type" in named:
            tries.append(host)
        return resolve(host, *given, **named)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        outcome = deliver(f"http://127.0.0.1:{nobody.getsockname()[1]}", timeout=5)

    assert outcome == Unavailable("no connection to the provider")
    assert tries == ["127.0.0.1"] * 3


def test_a_refusal_that_passes_does_no_harm(deliver: Deliver, accepted: Case) -> None:
    with playback(answer(**accepted.calls[0]["reply"]), refuses=0.1) as server:
        outcome = deliver(server.url, timeout=5)

    assert outcome == accepted.outcome
    assert is_whole(server, accepted)


def test_a_host_that_is_not_found(deliver: Deliver, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def getaddrinfo(*given: Any, **_: Any) -> Any:
        asked.append(given)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    assert deliver("https://nowhere.invalid", timeout=5) == Unavailable(
        "the provider's host name was not found: check base_url and DNS"
    )
    assert len(asked) == 3


def test_a_host_that_takes_no_connections(deliver: Deliver) -> None:
    with full_up("127.0.0.1") as port:
        outcome = deliver(f"http://127.0.0.1:{port}")

    assert outcome == Unavailable("no connection to the provider in time")


def test_the_next_call_uses_the_connection_again(deliver: Deliver, accepted: Case) -> None:
    good = answer(**accepted.calls[0]["reply"])
    with playback(good, answer(429, "", {"Retry-After": "1"}), good) as server:
        outcomes = [deliver(server.url) for _ in range(3)]

    assert isinstance(outcomes[0], Accepted)
    assert isinstance(outcomes[1], Throttled)
    assert isinstance(outcomes[2], Accepted)
    assert is_whole(server, accepted, times=3)
    assert server.connections == 1


def test_a_connection_that_the_server_closed_is_made_anew(deliver: Deliver, accepted: Case) -> None:
    good = answer(**accepted.calls[0]["reply"])
    with playback(Act(good.chunks, end="close"), good) as server:
        assert deliver(server.url) == accepted.outcome
        sleep(0.05)
        assert deliver(server.url) == accepted.outcome
        assert server.connections == 2
