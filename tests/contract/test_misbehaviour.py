"""What takes more than one fault to tell, after test_worst.py: second tries, connections that are used again.

Each test runs for every folder of recorded answers.
"""

import gzip
import json
import socket
from collections.abc import Callable
from time import sleep
from typing import Any

import pytest

from tasks.outcome import Accepted, Outcome, Throttled, Unavailable, Unclear
from tasks.providers.pipeline import Pipeline
from tests.contract.cases import PROVIDERS, Case, case, private
from tests.contract.conftest import Overheard
from tests.contract.playback import Act, Playback, answer, playback
from tests.support import Stopwatch, wait_until

TIMEOUT, PATIENCE, AMPLE = 0.5, 5.0, 60.0
SLACK = 0.4

Deliver = Callable[..., Outcome]


@pytest.fixture(params=PROVIDERS)
def accepted(request: pytest.FixtureRequest) -> Case:
    """The plainest recorded success of each provider."""
    return case(request.param, "accepted")


@pytest.fixture
def deliver(accepted: Case, pipeline: Pipeline, overheard: Overheard) -> Deliver:
    """Delivers the case's job, and checks that it keeps to its time and to itself."""

    def call(base_url: str, timeout: float = AMPLE, most: float = TIMEOUT) -> Outcome:
        account = accepted.account(base_url)
        with Stopwatch() as watch:
            answered = pipeline.deliver(account, accepted.job, timeout=timeout)
        assert watch.seconds < most + SLACK
        overheard.say(answered)
        assert overheard.tells(private(account, accepted.job)) == []
        return answered.outcome

    return call


def is_whole(server: Playback, accepted: Case, times: int = 1) -> bool:
    """Whether the server was asked `times` times, each time with the whole request."""
    body = accepted.calls[0]["request"]["body"].encode()
    return [asked.body for asked in server.asked] == [body] * times


def test_exactly_1_mib_is_read(deliver: Deliver) -> None:
    with playback(answer(200, "x" * (1024 * 1024))) as server:
        assert deliver(server.url, most=PATIENCE) == Unclear(
            "the provider answered 200 with a body that is none of its known answers"
        )


@pytest.mark.parametrize("form", ["packed", "chunks", "byte-order-mark"])
def test_an_answer_is_read_in_any_form_that_http_and_json_allow(deliver: Deliver, accepted: Case, form: str) -> None:
    reply = accepted.calls[0]["reply"]
    body = json.dumps(reply["body"]).encode()
    header, content = {
        "packed": ("Content-Encoding: gzip", gzip.compress(body)),
        "chunks": ("Transfer-Encoding: chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)),
        "byte-order-mark": ("X-Any: header", b"\xef\xbb\xbf" + body),
    }[form]
    length = "" if form == "chunks" else f"Content-Length: {len(content)}\r\n"
    head = f"HTTP/1.1 {reply['status']} OK\r\n{header}\r\n{length}\r\n".encode()
    with playback(Act((head + content,))) as server:
        assert deliver(server.url) == accepted.outcome


def test_an_answer_that_nobody_asked_for_is_nobodys(deliver: Deliver, accepted: Case) -> None:
    good = answer(**accepted.calls[0]["reply"])
    refusal = answer(429, "", {"Retry-After": "7"})
    with playback(Act((*good.chunks, *refusal.chunks)), good) as server:
        assert deliver(server.url) == accepted.outcome
        wait_until(lambda: server.sent > len(good.chunks[0]), seconds=5, what="the answer that nobody asked for")
        sleep(0.05)
        assert deliver(server.url) == accepted.outcome
        assert is_whole(server, accepted, times=2)


def test_what_a_provider_was_slow_to_say_is_not_read_by_the_next_call(deliver: Deliver, accepted: Case) -> None:
    late = Act((b"", *answer(429, "", {"Retry-After": "7"}).chunks), pause=TIMEOUT + 0.2)
    with playback(late, answer(**accepted.calls[0]["reply"])) as server:
        assert deliver(server.url, timeout=TIMEOUT) == Unclear("no whole answer from the provider in time")
        assert deliver(server.url, most=PATIENCE) == accepted.outcome
        assert server.connections == 2


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
        outcome = deliver(f"http://127.0.0.1:{nobody.getsockname()[1]}", most=PATIENCE)

    assert outcome == Unavailable("no connection to the provider")
    assert tries == ["127.0.0.1"] * 3


def test_a_refusal_that_passes_does_no_harm(deliver: Deliver, accepted: Case) -> None:
    with playback(answer(**accepted.calls[0]["reply"]), refuses=0.1) as server:
        outcome = deliver(server.url, most=PATIENCE)

    assert outcome == accepted.outcome
    assert is_whole(server, accepted)


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
