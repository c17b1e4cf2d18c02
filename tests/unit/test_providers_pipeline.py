"""What the pipeline adds to a provider: tokens of others, and what it refuses to be asked."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from config.accounts import FeedbackcompanyAccount, WemasyAccount
from tasks.job import Job
from tasks.outcome import Unavailable, Unclear
from tasks.providers.pipeline import Pipeline
from tests.contract.playback import Act, answer, playback
from tests.support import Stopwatch

JOB = Job.read({"account": "reviews", "email": "jane@example.com", "order": "1001"})
GRANTED = answer(200, {"error": False, "access_token": "token-1", "expires_on": "July, 1 2026 00:00:00 +0000"})
CREATED = answer(201, {"success": True})
REFUSED = answer(401, {"error": True})


def reviews(base_url: str) -> FeedbackcompanyAccount:
    return FeedbackcompanyAccount.model_validate(
        {
            "name": "reviews",
            "provider": "feedbackcompany",
            "base_url": base_url,
            "client_id": "client-1",
            "client_secret": "client-secret",
        }
    )


class Tokens:
    """Tokens that note what they were asked, and call `fetch` or not."""

    def __init__(self, kept: str | None = None, *, busy: bool = False) -> None:
        self.kept = kept
        self.busy = busy
        self.asked: list[tuple[str, str, str | None]] = []
        self.good_for_ms: list[int] = []

    def get(
        self,
        client: str,
        fetch: Callable[[], tuple[str, int]],
        *,
        secret: str,
        timeout: float,
        refused: str | None = None,
    ) -> str:
        assert 0 <= timeout <= 5
        self.asked.append((client, secret, refused))
        if self.busy:
            raise TimeoutError
        if self.kept and self.kept != refused:
            return self.kept
        token, good_for_ms = fetch()
        self.good_for_ms.append(good_for_ms)
        return token


def test_a_kept_token_is_used_without_a_fetch() -> None:
    tokens = Tokens(kept="token-9")
    with playback(CREATED) as server:
        Pipeline(tokens).deliver(reviews(server.url), JOB, timeout=5)

    assert [asked.headers["authorization"] for asked in server.asked] == ["Bearer token-9"]
    assert tokens.asked == [("client-1", "client-secret", None)]


def test_the_refused_token_is_named_and_renewed_once() -> None:
    tokens = Tokens(kept="token-9")
    with playback(REFUSED, GRANTED, CREATED) as server:
        Pipeline(tokens).deliver(reviews(server.url), JOB, timeout=5)

    assert [asked.headers.get("authorization") for asked in server.asked] == [
        "Bearer token-9",
        None,
        "Bearer token-1",
    ]
    assert tokens.asked == [("client-1", "client-secret", None), ("client-1", "client-secret", "token-9")]


def test_a_worker_that_is_still_fetching_costs_no_call() -> None:
    with playback() as server:
        answered = Pipeline(Tokens(busy=True)).deliver(reviews(server.url), JOB, timeout=5)

    assert answered.outcome == Unavailable("another worker is still fetching the access token")
    assert server.connections == 0


def test_a_lost_token_answer_is_no_lost_invitation() -> None:
    with playback(Act(end="reset")) as server:
        answered = Pipeline(Tokens()).deliver(reviews(server.url), JOB, timeout=5)

    assert answered.outcome == Unavailable("the connection broke before the provider's whole answer came")
    assert len(server.asked) == 1


def test_the_token_and_the_call_share_one_deadline() -> None:
    slow = Act(GRANTED.chunks[:1], pause=0.0)
    late = Act((b"",), pause=0.3, end="hang")
    with playback(slow, late) as server, Stopwatch() as watch:
        answered = Pipeline(Tokens()).deliver(reviews(server.url), JOB, timeout=0.5)

    assert answered.outcome == Unclear("no whole answer from the provider in time")
    assert answered.seconds > 0.45
    assert watch.seconds < 0.8


def test_a_tokens_end_is_held_against_the_providers_clock() -> None:
    tokens = Tokens()
    there = {"Date": "Tue, 30 Jun 2026 23:00:00 GMT"}
    granted = answer(200, {"error": False, "access_token": "t", "expires_on": "July, 1 2026 00:00:00 +0000"}, there)
    with playback(granted, CREATED) as server:
        here = datetime(2026, 6, 30, 20, tzinfo=UTC)
        Pipeline(tokens, now=lambda: here).deliver(reviews(server.url), JOB, timeout=5)

    assert tokens.good_for_ms == [3_600_000]


def test_a_provider_without_a_list_is_not_asked_for_one() -> None:
    account = WemasyAccount.model_validate({"name": "portal", "provider": "wemasy", "token": "t"})
    pipeline = Pipeline(Tokens())

    with pytest.raises(ValueError, match="wemasy lists no invitations"):
        pipeline.look_up(account, JOB, datetime.now(UTC), timeout=1)
    with pytest.raises(ValueError, match="wemasy lists no invitations"):
        pipeline.list_page(account, offset=0, size=100, timeout=1)
