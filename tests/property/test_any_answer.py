"""Whatever a provider answers: one outcome, and a step that the ledger takes and that leaves no line asleep."""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from config.accounts import Account
from config.texts import STEERING
from tasks.decision import History, Policy, gate_lesson, next_step
from tasks.listed import Search, Wanted
from tasks.outcome import (
    Answer,
    Consented,
    CredentialsRefused,
    Limits,
    NotListed,
    Outcome,
    Suppressed,
    Throttled,
    Unavailable,
)
from tasks.providers.listing import Page, Row
from tasks.providers.pipeline import Pipeline
from tests.contract.cases import Case, all_cases, case
from tests.contract.conftest import NOW, MemoryTokens
from tests.contract.playback import Act, Playback, playback
from tests.property.desk import DAY_MS, Desk
from tests.property.profiles import PROFILE
from worker.claims import Claim

# Seconds are enough; a nightly run takes minutes.
pytestmark = pytest.mark.timeout(7_200)

OUTCOMES = get_args(Outcome)
CONSENTS = (Consented, Suppressed, Throttled, CredentialsRefused, Unavailable)
LONGEST_REASON = 800
SECONDS = 5.0
NAMES = ["accepted", "client_accepted"]
STATES = {"queued", "accepted", "duplicate", "rejected", "failed", "suppressed"}


@dataclass
class Host:
    """A provider that answers every call with `act`."""

    server: Playback

    def gives(self, act: Act) -> None:
        self.server.asked.clear()
        self.server.script[:] = [act] * 4


@pytest.fixture(scope="module")
def provider() -> Iterator[Host]:
    with playback() as server:
        yield Host(server)


TEXTS = st.text(st.characters(), max_size=20) | st.sampled_from(
    ["a\nb", "\x1b[2J", "jane@example.com", "\ud800", "x" * 3000]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([10**400]) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
TIMES = st.sampled_from(
    ["0001-01-01 00:00:00", "9999-12-31 23:59:59", "2026-03-29 02:30:00", "2026-06-01T11:58:30+14:00"]
)


@st.composite
def mutations(draw: st.DrawFn, value: Any) -> Any:
    """`value` with a few things in it replaced, however deep; a list may be many times as long."""
    value = deepcopy(value)
    for _ in range(draw(st.integers(0, 2))):
        inner: Any = {"body": value}
        while inner:
            name = draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
            if not isinstance(inner[name], dict | list) or not draw(st.integers(0, 3)):
                inner[name] = draw(TEXTS | TIMES | VALUES)
                break
            if isinstance(inner[name], list):
                inner[name] *= draw(st.sampled_from([1, 1, 60]))
            inner = inner[name]
    return value


LINE = st.binary(max_size=20).map(lambda raw: raw.translate(None, b"\r\n"))
FIGURES = (
    st.sampled_from([b"0", b"-1", b"1", b"60", b"9" * 9, b"9" * 400, b"1e9", b"NaN", b"soon", b" 7 ", b"\xb2", b""])
    | LINE
)
DATES = st.sampled_from(
    [b"Mon, 01 Jun 2026 10:01:00 GMT", b"Fri, 31 Dec 9999 23:59:59 GMT", b"Mon, 01 Jan 0001 00:00:00 +2359"]
)
FIGURED = st.fixed_dictionaries(
    {}, optional={b"Retry-After": FIGURES | DATES, b"X-RateLimit-Limit": FIGURES, b"X-RateLimit-Remaining": FIGURES}
)
OTHERS = {b"Date": DATES | LINE, b"Content-Type": LINE, b"Location": LINE, b"Set-Cookie": LINE}
CODINGS = st.sampled_from([b"gzip", b"deflate", b"identity", b"chunked"])
CODED = {b"Content-Encoding": CODINGS, b"Transfer-Encoding": CODINGS}
HEADERS = st.builds(dict.__or__, FIGURED, st.fixed_dictionaries({}, optional=OTHERS | CODED))
STATUSES = st.sampled_from([200, 201, 204, 400, 401, 403, 404, 422, 429, 500, 503]) | st.integers(200, 999)


def _act(status: int, headers: dict[bytes, bytes], content: bytes) -> Act:
    head = b"".join(b"%s: %s\r\n" % line for line in headers.items())
    return Act((b"HTTP/1.1 %d Some\r\n%s\r\n%s" % (status, head, content),), end="close")


@st.composite
def alike(draw: st.DrawFn, replies: list[dict[str, Any]]) -> Act:
    """An answer that is close to a recorded one."""
    reply = draw(st.sampled_from(replies))
    content = json.dumps(draw(mutations(reply.get("body", "")))).encode()
    headers = {name.encode(): value.encode() for name, value in reply.get("headers", {}).items()}
    return _act(reply["status"], headers | draw(FIGURED), content)


@st.composite
def wild(draw: st.DrawFn) -> Act:
    """An answer of any status, headers and body."""
    content = draw(VALUES.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
    length = {} if draw(st.booleans()) else {b"Content-Length": b"%d" % max(0, len(content) + draw(st.integers(-1, 1)))}
    return _act(draw(STATUSES), draw(HEADERS) | length, content)


def answers(provider: str, action: str) -> st.SearchStrategy[Act]:
    """Mostly such as the provider gave once to this action."""
    those = [each for each in all_cases() if (each.provider, each.action) == (provider, action)]
    replies = [call["reply"] for each in those for call in each.calls]
    return alike(replies) | alike(replies) | wild()


def pipeline() -> Pipeline:
    return Pipeline(MemoryTokens(), now=lambda: NOW)


def account_of(case: Case, provider: Host) -> Account:
    return case.account(provider.server.url)


def said(outcome: Any) -> str:
    """The reason of an outcome, after a look at it."""
    reason = str(getattr(outcome, "reason", "") or "")
    assert len(reason) <= LONGEST_REASON
    assert STEERING.search(reason) is None
    assert reason.isprintable()
    assert "jane@example.com" not in repr(outcome)
    return reason


class Line:
    """A ledger with one invitation, that a worker has claimed."""

    def __init__(self, redis: Redis, account: Account) -> None:
        redis.flushdb()
        self.desk = Desk(redis, account)
        self.account = account
        (self.invitation,) = self.desk.line_up(account.name, 1)

    def claim(self) -> Claim:
        return self.desk.claim(*self.desk.admit())

    def settle(self, claim: Claim, answer: Answer, history: History) -> str:
        policy = Policy(10, self.account.lists)
        step = next_step(answer.outcome, history, policy, jitter=0.5, limits=answer.limits)
        state, applied = self.desk.ledger.settle(claim.id, claim.token, step.as_dict())
        assert applied
        return state

    def check(self, state: str, reason: str) -> None:
        """It is over, or comes round again by itself: also where a gate was told to stay shut for long."""
        record = self.desk.record(self.invitation)
        assert record.state == state
        assert reason in record.reason
        if state == "queued":
            for _ in range(3):
                self.desk.later(DAY_MS)
                if self.desk.admit() == [self.invitation]:
                    return
            raise AssertionError(f"asleep: {self.desk.gate(self.account.gate)}")


HISTORIES = st.builds(History, st.integers(0, 12), st.booleans(), st.booleans())


@pytest.mark.parametrize(
    ("name", "provider_name"),
    [
        ("accepted", "webwinkelkeur"),
        ("accepted", "wemasy"),
        ("accepted", "feedbackcompany"),
        ("client_accepted", "feedbackcompany"),
    ],
)
def test_any_answer_to_an_invitation(real_redis: Redis, provider: Host, name: str, provider_name: str) -> None:
    whole = case(provider_name, name)

    @PROFILE
    @given(act=answers(provider_name, "deliver"), history=HISTORIES)
    def check(act: Act, history: History) -> None:
        line = Line(real_redis, account_of(whole, provider))
        claim = line.claim()
        provider.gives(act)

        answer = pipeline().deliver(line.account, whole.job, timeout=SECONDS)

        assert isinstance(answer.outcome, OUTCOMES)
        assert answer.limits is None or isinstance(answer.limits, Limits)
        reason = said(answer.outcome)
        state = line.settle(claim, answer, history)
        assert state in STATES
        line.check(state, "" if history.unclear else reason)

    check()


def test_any_answer_to_a_list(real_redis: Redis, provider: Host) -> None:
    whole = case("webwinkelkeur", "list")

    @PROFILE
    @given(act=answers("webwinkelkeur", "list"))
    def check(act: Act) -> None:
        line = Line(real_redis, account_of(whole, provider))
        provider.gives(act)

        page = pipeline().list_page(line.account, offset=0, size=100, timeout=SECONDS)
        found = pipeline().look_up(line.account, whole.job, datetime(2026, 6, 1, tzinfo=UTC), timeout=SECONDS)

        assert isinstance(page, (Page, *OUTCOMES))
        assert found is None or isinstance(found, (NotListed, *OUTCOMES))
        said(page)
        said(found)
        _walk(page)
        line.desk.ledger.tell(line.account.gate, line.account.name, gate_lesson(page, 0.5))
        line.check("queued", "")

    check()


def _walk(page: Any) -> None:
    """As a retrieval walks through a list whose every page is this one."""
    pages = iter([page] * 50 if isinstance(page, Page) else [None])
    rows: list[Row] = []
    Search(lambda offset: next(pages, None), rows.append).run([Wanted.of("i", "n", NOW), Wanted.of("j", "m", NOW)])
    for row in rows:
        times = [time for time in (row.created, row.scheduled, row.sent) if time]
        assert all(time.tzinfo == UTC and abs(time.timestamp()) < 1e12 for time in times)
        assert "@" not in repr(row)


def test_any_answer_to_the_question_of_consent(real_redis: Redis, provider: Host) -> None:
    whole = case("webwinkelkeur", "consent_given")

    @PROFILE
    @given(act=answers("webwinkelkeur", "consent"), history=HISTORIES)
    def check(act: Act, history: History) -> None:
        line = Line(real_redis, account_of(whole, provider))
        claim = line.claim()
        provider.gives(act)

        outcome = pipeline().consent(line.account, whole.job, timeout=SECONDS)

        assert isinstance(outcome, CONSENTS)
        reason = said(outcome)
        if isinstance(outcome, Consented):
            assert b'"has_consent": true' in act.chunks[0]
            return
        state = line.settle(claim, Answer(outcome), history)
        assert state in {"queued", "suppressed", "failed"}
        line.check(state, reason)

    check()
