"""The benchmark's provider is exact: in virtual time it grants what its terms say, and the floor is what it grants."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.bench.account import HEARD_MS, Account, Answer
from ops.bench.provider import INVITE, Accounts
from ops.bench.terms import NS_PER_MS, Terms, floor_seconds
from ops.bench.wire import Request, Unreadable, take_request
from ops.simulator.limits import NS_PER_SECOND, WindowKind

START = 5_000 * NS_PER_SECOND
KINDS = st.sampled_from(["fixed", "sliding", "bucket"])


def at(ms: float) -> int:
    return START + round(ms * NS_PER_MS)


@pytest.mark.parametrize(
    ("terms", "calls", "seconds"),
    [
        (Terms(20, 1_000, "fixed"), 600, 29.0),
        (Terms(60, 6_000, "fixed"), 600, 54.0),
        (Terms(60, 6_000, "sliding"), 600, 54.0),
        (Terms(20, 1_000, "bucket"), 600, 29.0),
        (Terms(20, 1_000, "fixed"), 20, 0.0),
        (Terms(20, 1_000, "fixed", shared=True), 600, 59.0),
        (Terms(), 600, 0.0),
    ],
)
def test_the_floor_uses_every_burst(terms: Terms, calls: int, seconds: float) -> None:
    assert floor_seconds(terms, calls) == seconds


@settings(deadline=None)
@given(KINDS, st.integers(1, 30), st.integers(100, 1_000), st.integers(1, 40), st.integers(10, 200))
def test_no_client_is_faster_than_the_floor(
    kind: WindowKind, count: int, period_ms: int, calls: int, step_ms: int
) -> None:
    terms = Terms(count, period_ms, kind)
    account = Account(terms)
    now = START
    for number in range(calls):
        while account.call(f"{number}@example.com", now).status != 201:
            now += step_ms * NS_PER_MS

    stats = account.stats()
    assert stats["accepted"] == calls
    assert (stats["last_ns"] - stats["first_ns"]) / NS_PER_SECOND >= floor_seconds(terms, calls)


def test_it_refuses_what_is_over_the_limit_and_says_until_when() -> None:
    account = Account(Terms(2, 1_500))

    answers = [account.call(f"{number}@example.com", at(number * 100)) for number in range(3)]

    assert answers == [Answer(201, 1), Answer(201, 0), Answer(429, 0, 2)]
    assert account.stats() == {
        "calls": 3,
        "accepted": 2,
        "refused": 1,
        "inside": 0,
        "again": 0,
        "first_ns": at(0),
        "last_ns": at(100),
    }


@pytest.mark.parametrize(
    ("ms", "inside"), [(20, 0), (60 + HEARD_MS, 0), (61 + HEARD_MS, 1), (1_059, 1), (1_060, 0), (5_000, 0)]
)
def test_a_call_inside_a_retry_after_is_counted_unless_it_was_under_way(ms: int, inside: int) -> None:
    account = Account(Terms(1, 1_000, latency_ms=50))
    account.call("a@example.com", at(0))
    account.call("b@example.com", at(10))  # Refused at 60, for a second.

    account.call("c@example.com", at(ms))

    assert account.inside == inside


def test_a_second_call_for_an_invitation_is_counted_and_told() -> None:
    account = Account(Terms())

    answers = [account.call("a@example.com", at(ms)) for ms in (0, 5)]

    assert answers == [Answer(201), Answer(422)]
    assert (account.again, account.accepted) == (1, {"a@example.com": at(0)})


def test_another_client_takes_half_evenly() -> None:
    account = Account(Terms(4, 1_000, "sliding", shared=True))

    statuses = [account.call(f"{ms}@example.com", at(ms)).status for ms in (0, 100, 200, 300, 600)]

    # Its own calls are at 0 and 500.
    assert statuses == [201, 201, 201, 429, 429]


def request(path: str, body: object, token: str = "t") -> bytes:
    text = json.dumps(body).encode()
    return b"POST %b HTTP/1.1\r\nAuthorization: Bearer %b\r\ncontent-length: %d\r\n\r\n%b" % (
        path.encode(),
        token.encode(),
        len(text),
        text,
    )


def test_requests_are_taken_one_by_one_as_they_become_whole() -> None:
    first, second = request(INVITE, {"email": "a@example.com"}), request("/_stats", {})
    buffer = bytearray(first + second[:-1])

    taken = take_request(buffer)

    assert taken is not None
    assert (taken.method, taken.path, taken.token, taken.body) == ("POST", INVITE, "t", b'{"email": "a@example.com"}')
    assert take_request(buffer) is None
    buffer += second[-1:]
    assert take_request(buffer) is not None
    assert not buffer


@pytest.mark.parametrize("head", [b"nonsense", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked"])
def test_what_it_cannot_read_it_says(head: bytes) -> None:
    with pytest.raises(Unreadable):
        take_request(bytearray(head + b"\r\n\r\n"))


@pytest.mark.parametrize(("headers", "told"), [(True, True), (False, False)])
def test_terms_are_set_by_token_and_headers_are_theirs(headers: bool, told: bool) -> None:
    accounts = Accounts()
    accounts.answer(_read(request("/_terms", {"t": Terms(1, 1_000, latency_ms=7, headers=headers).as_dict()})), at(0))

    reply, after_ms = accounts.answer(_read(request(INVITE, {"email": "a@example.com"})), at(0))
    other, at_once = accounts.answer(_read(request(INVITE, {"email": "a@example.com"}, "other")), at(0))

    assert (reply[:12], after_ms) == (b"HTTP/1.1 201", 7)
    assert (b"X-RateLimit-Limit: 60\r\nX-RateLimit-Remaining: 0\r\n" in reply) is told
    assert (other[:12], at_once) == (b"HTTP/1.1 201", 0)
    assert b"X-RateLimit" not in other


def _read(raw: bytes) -> Request:
    taken = take_request(bytearray(raw))
    assert taken is not None
    return taken
