"""Providers at their worst, in one table: each fault, and what it comes to.

Every row is played to every kind of call: the delivery of each provider, the list, the question for consent and the
access token. Each call keeps to its time and to little memory, is made once, says nothing private, and leaves the
invitation in line for another day.
"""

import tracemalloc
from dataclasses import dataclass
from typing import Any

import pytest
from redis import Redis

from tasks.outcome import CredentialsRefused, Outcome, Throttled, Unavailable, Unclear
from tasks.providers.pipeline import Pipeline
from tests.contract.cases import FOLDER, PROVIDERS, Case, case, private
from tests.contract.conftest import Overheard
from tests.contract.faulty import (
    MIB,
    Fault,
    Wire,
    floods,
    floods_packed,
    is_looked_up_in_vain,
    is_not_found,
    plays,
    redirects,
    redirects_to_plain_http,
    refuses,
    resets_unread,
    says,
    sends,
    sends_body,
    shakes_hands_slowly,
    shakes_no_hands,
    shows_certificate,
    takes_no_connections,
)
from tests.contract.playback import answer
from tests.property.desk import DAY_MS, Desk, account
from tests.support import Stopwatch

# For what lets the time of a call run out, and the longest that an answer which is there may take.
TIMEOUT = 0.5
# The longest that more may take: a second and a third try, a hundred MiB.
PATIENCE = 5.0
# For all whose time must not run out, however slow the machine.
AMPLE = 60.0
SLACK = 0.4
# Before it shakes hands this machine reads all the certificates that vouch for others.
TLS_SLACK = 1.0
# What Python makes of one MiB of JSON.
PEAK_BYTES = 32 * MIB
SENT_BYTES = 40 * MIB
CAP_MS = 86_400_000

HTML = "<html><body>jane@example.com</body></html>"
# Our clock stands at ten.
TEN_TO = "Mon, 01 Jun 2026 09:50:00 GMT"
TEN_PAST = "Mon, 01 Jun 2026 10:10:00 GMT"
A_MINUTE_ON = "Mon, 01 Jun 2026 10:01:00 GMT"
AN_HOUR_AGO = "Mon, 01 Jun 2026 09:00:00 GMT"
TEN_YEARS_ON = "Sun, 01 Jun 2036 10:00:00 GMT"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

NOT_FOUND = Unavailable("the provider's host name was not found: check base_url and DNS")
REFUSED = Unavailable("no connection to the provider")
NOT_IN_TIME = Unavailable("no connection to the provider in time")
NO_TLS = Unavailable("the provider's TLS certificate was not accepted: check base_url and the time of this machine")
LATE = Unclear("no whole answer from the provider in time")
LOST = Unclear("the connection broke before the provider's whole answer came")
TOO_LARGE = Unclear("the provider's answer was larger than 1 MiB")
NO_TOKEN = CredentialsRefused(
    "the answer to the token request holds no access token: check client_id and client_secret"
)


NO_CONSENT = "it could not be learned whether the customer agreed"
INCORRECT = "Incorrect authentication credentials."


def unknown(status: int) -> Unclear:
    return Unclear(f"the provider answered {status} with a body that is none of its known answers")


def no_reason(status: int) -> Unavailable:
    return Unavailable(f"the provider answered {status} and gave no reason that is known: check base_url")


def redirected(status: int) -> Unavailable:
    return Unavailable(f"the provider answered with a redirect ({status}): check base_url")


def throttled(wait_ms: int | None) -> Throttled:
    return Throttled("the provider answered 429: too many calls", wait_ms)


def closed(wait_ms: int) -> Throttled:
    return Throttled("the provider answered 503 and asked to wait", wait_ms, maintenance=True)


@dataclass(frozen=True)
class Row:
    """A fault and what it comes to. `token`: what an access token that is asked for there comes to, if that is
    something else; `reached`: whether the provider got the request; `runs_out`: whether the call ends because its time
    is over; `seconds`: the longest that it may take, and `slack` how much longer."""

    fault: Fault
    outcome: Outcome | type[CredentialsRefused]
    token: Outcome | None = None
    reached: bool = True
    runs_out: bool = False
    seconds: float = TIMEOUT
    slack: float = SLACK


TABLE = {
    # No connection: nothing was sent, and the same call may be made again at once.
    "refused connection": Row(refuses, REFUSED, reached=False, seconds=PATIENCE),
    "no place for a connection": Row(takes_no_connections, NOT_IN_TIME, reached=False, runs_out=True),
    "name not found": Row(is_not_found, NOT_FOUND, reached=False, seconds=PATIENCE),
    "resolver hangs": Row(is_looked_up_in_vain, NOT_FOUND, reached=False, runs_out=True),
    # TLS: nothing is sent to whom nobody vouches for.
    "certificate of its own making": Row(shows_certificate(trusted=False), NO_TLS, reached=False, seconds=PATIENCE),
    "certificate expired": Row(shows_certificate(expired=True), NO_TLS, reached=False, seconds=PATIENCE),
    "certificate of another host": Row(shows_certificate("127.0.0.2"), NO_TLS, reached=False, seconds=PATIENCE),
    "handshake hangs": Row(shakes_no_hands, NOT_IN_TIME, reached=False, runs_out=True, slack=TLS_SLACK),
    "handshake trickles": Row(shakes_hands_slowly, NOT_IN_TIME, reached=False, runs_out=True, slack=TLS_SLACK),
    # The request left, and no whole answer came: the provider may have taken it.
    "reset before it was read": Row(resets_unread, LOST, reached=False),
    "reset after it was read": Row(sends(end="reset"), LOST),
    "closed without an answer": Row(sends(), LOST),
    "hangs": Row(sends(end="hang"), LATE, runs_out=True),
    "head trickles": Row(sends(*[bytes([byte]) for byte in HEAD], pause=0.1), LATE, runs_out=True),
    "body trickles": Row(sends(HEAD, *[b"x"] * 100, pause=0.1), LATE, runs_out=True),
    "body stops": Row(sends(HEAD, end="hang"), LATE, runs_out=True),
    "half, then reset": Row(sends(HEAD, end="reset"), LOST),
    "half, then closed": Row(sends(HEAD), LOST),
    "no HTTP": Row(sends(b"\x16\x03nonsense\r\n\r\n"), LOST),
    "HTTP/0.9": Row(sends(b"<html>welcome</html>\r\n"), LOST),
    "HTTP of another age": Row(sends(b"HTTP/3.7 200 OK\r\n\r\n"), LOST),
    "a status that is none": Row(sends(b"HTTP/1.1 abc OK\r\n\r\n"), LOST),
    "two lengths": Row(sends(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"), LOST),
    "no length that can be read": Row(sends(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{"), unknown(200)),
    "longer than it said": Row(sends(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{}"), unknown(200)),
    "chunks of nonsense": Row(sends(CHUNKED + b"zzzz\r\n{}\r\n"), LOST),
    "a chunk that ends early": Row(sends(CHUNKED + b"FFFFFFFF\r\n{}\r\n"), LOST),
    "packed by hearsay": Row(sends_body(b"{}", "Content-Encoding: gzip"), LOST),
    "thousands of headers": Row(sends(b"HTTP/1.1 200 OK\r\n" + b"X-More: more\r\n" * 5_000 + b"\r\n"), LOST),
    "a header without end": Row(sends(b"HTTP/1.1 200 OK\r\nX-More: " + b"x" * MIB), LOST),
    # More than anybody has to say.
    "100 MiB": Row(
        floods(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n", b"x" * 65_536), TOO_LARGE, seconds=PATIENCE
    ),
    "100 MiB without a length": Row(floods(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65_536), TOO_LARGE, seconds=PATIENCE),
    "100 MiB in chunks": Row(floods(CHUNKED, b"10000\r\n" + b"x" * 65_536 + b"\r\n"), TOO_LARGE, seconds=PATIENCE),
    "100 MiB in one line": Row(floods(CHUNKED, b"0" * 65_536), LOST, seconds=PATIENCE),
    "100 MiB of trailers": Row(floods(CHUNKED + b"0\r\n", b"X-More: more\r\n" * 4_096), TOO_LARGE, seconds=PATIENCE),
    "100 MiB of 100 Continue": Row(floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2_048), TOO_LARGE, seconds=PATIENCE),
    "100 MiB under 429": Row(
        floods(b"HTTP/1.1 429 Slow Down\r\nRetry-After: 7\r\n\r\n", b"x" * 65_536), throttled(7_000), seconds=PATIENCE
    ),
    "100 MiB, packed": Row(floods_packed(), TOO_LARGE, seconds=PATIENCE),
    "100 MiB, packed twice": Row(floods_packed(2), TOO_LARGE, seconds=PATIENCE),
    "1 MiB of empty objects": Row(says(200, "[" + "{}," * 349_000 + "{}]"), unknown(200), seconds=PATIENCE),
    # An answer that is none.
    **{f"{status} with a page": Row(says(status, HTML), unknown(status)) for status in (500, 502, 504, 599)},
    "503 with a page": Row(says(503, HTML), unknown(503)),
    "503, wait nonsense": Row(says(503, HTML, Retry_After="soon"), unknown(503)),
    "200 with a page": Row(says(200, HTML), unknown(200)),
    "201 with a page": Row(says(201, HTML), unknown(201)),
    "200 with nothing": Row(says(200), unknown(200)),
    "201 with nothing": Row(says(201), unknown(201)),
    "204": Row(sends(b"HTTP/1.1 204 No Content\r\n\r\n"), unknown(204)),
    "101": Row(sends(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), unknown(101)),
    "half a document": Row(says(200, '{"status": "success", "success": true, "mess'), unknown(200)),
    "a list": Row(says(200, "[1, 2]"), unknown(200)),
    "a text": Row(says(200, '"success"'), unknown(200)),
    "null": Row(says(200, "null"), unknown(200)),
    "a number": Row(says(200, "200"), unknown(200)),
    "a number without end": Row(says(200, f'{{"total": {"9" * 10_000}}}'), unknown(200)),
    "nested deep": Row(says(200, "[" * 100_000), unknown(200)),
    "an object of another shape": Row(says(200, {"data": {"data": [{}]}, "message": [1]}), unknown(200), NO_TOKEN),
    "names that stand twice": Row(says(200, '{"status": "success", "status": null}'), unknown(200), NO_TOKEN),
    "bytes that are no text": Row(sends_body(b'{"status": "success\xff\xfe"}'), unknown(200)),
    # Turned away.
    **{
        f"{status} with a page": Row(says(status, HTML), no_reason(status))
        for status in (400, 404, 405, 408, 410, 413, 418, 422, 425)
    },
    "401 with a page": Row(says(401, HTML), CredentialsRefused),
    "403 with a page": Row(says(403, HTML), CredentialsRefused),
    **{f"{status} to another host": Row(redirects(status), redirected(status)) for status in (301, 302, 303, 307, 308)},
    "302 from https to http": Row(redirects_to_plain_http, redirected(302), seconds=PATIENCE),
    "302 to nowhere": Row(says(302, Location="http://[nowhere"), redirected(302)),
    "302 without a place": Row(says(302), redirected(302)),
    # Told to wait: never shorter than asked, never longer than a day.
    "429": Row(says(429), throttled(None)),
    "429 with JSON": Row(says(429, {"error": True, "message": "slow down"}), throttled(None)),
    "429 with a page": Row(says(429, HTML), throttled(None)),
    "429 with half a body": Row(plays(answer(429, "half", {"Retry-After": "7"}, length=100)), throttled(7_000)),
    "429, wait 7": Row(says(429, Retry_After="7"), throttled(7_000)),
    "429, wait half a second": Row(says(429, Retry_After="0.5"), throttled(500)),
    "429, wait -3": Row(says(429, Retry_After="-3"), throttled(0)),
    "429, wait nonsense": Row(says(429, Retry_After="soon"), throttled(None)),
    "429, wait until": Row(says(429, Retry_After=A_MINUTE_ON), throttled(60_000)),
    "429, wait until, our clock slow": Row(
        says(429, Date=TEN_PAST, Retry_After="Mon, 01 Jun 2026 10:11:00 GMT"), throttled(60_000)
    ),
    "429, wait until, our clock fast": Row(
        says(429, Date=TEN_TO, Retry_After="Mon, 01 Jun 2026 09:51:00 GMT"), throttled(60_000)
    ),
    "429, wait until, its clock nonsense": Row(says(429, Date="now", Retry_After=A_MINUTE_ON), throttled(60_000)),
    "429, wait until, RFC 850": Row(says(429, Retry_After="Monday, 01-Jun-26 10:01:00 GMT"), throttled(60_000)),
    "429, wait until, asctime": Row(says(429, Retry_After="Mon Jun  1 10:01:00 2026"), throttled(60_000)),
    "429, wait until long ago": Row(says(429, Retry_After=AN_HOUR_AGO), throttled(0)),
    "429, wait 10 years": Row(says(429, Retry_After="315360000"), throttled(CAP_MS)),
    "429, wait until in 10 years": Row(says(429, Retry_After=TEN_YEARS_ON), throttled(CAP_MS)),
    "429, wait for ever": Row(says(429, Retry_After="9" * 60), throttled(CAP_MS)),
    "429, odd headers": Row(
        sends(b"HTTP/1.1 429 \xff\x1b[31m\r\nRetry-After: 7\r\nX-\x00: \x1b[31m\r\n: nameless\r\nno colon\r\n\r\n"),
        throttled(7_000),
    ),
    "503, wait 5": Row(says(503, HTML, Retry_After="5"), closed(5_000)),
    "503, wait until": Row(says(503, HTML, Retry_After=A_MINUTE_ON), closed(60_000)),
    "503, wait 10 years": Row(says(503, HTML, Retry_After="315360000"), closed(CAP_MS)),
}

# What each outcome makes of an invitation: its attempts, how often it was throttled, and whether it may have arrived.
FOLLOWS = {
    Unavailable: (1, 0, False),
    Unclear: (1, 0, True),
    Throttled: (0, 1, False),
    CredentialsRefused: (0, 0, False),
}

# What a provider says in its own words under a code of success.
SAID: list[tuple[str, Fault, type[Outcome]]] = [
    (
        "webwinkelkeur/accepted",
        says(200, {"status": "error", "message": "Unexpected error while processing."}),
        Unclear,
    ),
    ("webwinkelkeur/accepted", says(200, {"status": "error", "message": "Out of stamps."}), Unclear),
    ("webwinkelkeur/accepted", says(200, {"status": "error", "message": INCORRECT}), CredentialsRefused),
    ("webwinkelkeur/list", says(200, {"status": "error", "message": "Unexpected error while processing."}), Unclear),
    ("webwinkelkeur/list", says(200, {"status": "error", "message": INCORRECT}), CredentialsRefused),
    ("webwinkelkeur/consent_given", says(200, {"status": "error", "message": "Out of order."}), Unavailable),
    ("webwinkelkeur/consent_given", says(200, {"status": "error", "message": INCORRECT}), CredentialsRefused),
    ("wemasy/accepted", says(201, {"error": True, "message": "The mail was not sent."}), Unclear),
    ("wemasy/accepted", says(200, {"error": True, "message": "Unauthenticated."}), Unclear),
    ("feedbackcompany/accepted", says(201, {"error": True, "message": "Try again."}), Unclear),
    ("feedbackcompany/accepted", says(200, {"success": False}), Unclear),
    ("feedbackcompany/accepted", says(200, {"error": True, "message": "Invalid access token"}), CredentialsRefused),
    ("feedbackcompany/client_accepted", says(200, {"error": True, "message": "Unknown client"}), CredentialsRefused),
]

CALLS = [
    case(provider, name)
    for provider in PROVIDERS
    for name in ("accepted", "list", "consent_given", "client_accepted")
    if (FOLDER / provider / f"{name}.json").exists()
]


@pytest.fixture(params=CALLS, ids=lambda called: f"{called.provider}-{called.name}")
def called(request: pytest.FixtureRequest) -> Case:
    """The delivery of each provider, the list, consent, and a delivery that asks for an access token first."""
    found: Case = request.param
    return found


def expected(row: Row, called: Case) -> Outcome | type[CredentialsRefused]:
    """Where no access token came, or no consent, surely no invitation left."""
    if called.action == "consent" and isinstance(row.outcome, Unclear | Unavailable):
        return Unavailable(f"{NO_CONSENT}: {row.outcome.reason}")
    if called.name == "client_accepted" and isinstance(row.outcome, Unclear):
        return row.token or Unavailable(row.outcome.reason)
    return row.outcome


def play(called: Case, pipeline: Pipeline, wire: Wire, timeout: float, most: float) -> Any:
    """What the call comes to, made in so many seconds at `most` and in little memory."""
    shop = called.account(wire.url)
    outcome: Any
    tracemalloc.start()
    with Stopwatch() as watch:
        if called.action == "list":
            outcome = pipeline.list_page(shop, offset=0, size=100, timeout=timeout)
        elif called.action == "consent":
            outcome = pipeline.consent(shop, called.job, timeout=timeout)
        else:
            outcome = pipeline.deliver(shop, called.job, timeout=timeout).outcome
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert watch.seconds < most
    assert peak < PEAK_BYTES
    return outcome


@pytest.mark.parametrize("name", TABLE)
def test_worst(name: str, called: Case, pipeline: Pipeline, overheard: Overheard, real_redis: Redis) -> None:
    row = TABLE[name]
    with row.fault() as wire:
        outcome = play(called, pipeline, wire, TIMEOUT if row.runs_out else AMPLE, row.seconds + row.slack)

    should = expected(row, called)
    assert outcome == (should(outcome.reason) if isinstance(should, type) else should)
    body = called.calls[0]["request"].get("body", "").encode()
    assert [asked.body for asked in wire.server.asked] == [body] * row.reached
    assert wire.elsewhere.connections == 0
    assert wire.server.sent < SENT_BYTES
    capped = {"event": "retry_after_capped", "log_level": "warning", "used_ms": CAP_MS}
    assert overheard.events == [capped] * (outcome in (throttled(CAP_MS), closed(CAP_MS)))
    overheard.say(outcome)
    assert overheard.tells(private(called.account(wire.url), called.job)) == []
    if called.action != "list":
        assert follows(real_redis, outcome) == ("queued", *FOLLOWS[type(outcome)])


@pytest.mark.parametrize(("name", "fault", "comes_to"), SAID)
def test_an_error_under_a_code_of_success_is_an_error(
    name: str, fault: Fault, comes_to: type[Outcome], pipeline: Pipeline, real_redis: Redis
) -> None:
    with fault() as wire:
        outcome = play(case(*name.split("/")), pipeline, wire, AMPLE, PATIENCE + SLACK)

    assert type(outcome) is comes_to
    assert follows(real_redis, outcome) == ("queued", *FOLLOWS[comes_to])


def follows(redis: Redis, outcome: Outcome) -> tuple[str, int, int, bool]:
    """The invitation's state after it, its attempts, how often it was throttled, and, when it is tried again within
    two days, whether an earlier call may have reached the provider."""
    line = Desk(redis, account("a"))
    line.line_up("a", 1)
    line.deliver(*line.admit(), outcome=outcome)
    record = line.record("a0000")
    line.later(2 * DAY_MS)
    again = line.claim(*line.admit())
    return record.state, record.attempts, record.throttled, again.unclear
