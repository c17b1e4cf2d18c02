"""Hours without a provider: they cost probes, not invitations. Thousands wait, and the time passes by itself."""

from collections.abc import Callable

import pytest
from redis import Redis

from tasks.decision import DOWN_AFTER, DOWN_MOST_MS, DOWN_MS
from tasks.outcome import Accepted, CredentialsRefused, Outcome, Unavailable, Unclear
from tests.property.desk import Desk, account
from worker.claims import Claim
from worker.ledger import PROBE_MS
from worker.records import Records

HOUR_MS = 3_600_000
OUTAGE_MS = 3 * HOUR_MS
MANY = 2_000
SOME = 200
AT_ONCE = 20
# What the machine takes to let the time pass.
SLACK_MS = 60_000
# After waits of 5, 10, 20, 40, 80 and 160 s, then of five minutes each; and the one after which the provider is back.
PROBES = 6 + (OUTAGE_MS - 63 * DOWN_MS) // DOWN_MOST_MS + 1

AWAY = Unavailable("no connection to the provider")
SILENT = Unclear("no whole answer from the provider in time")
WHO = CredentialsRefused("401: check the credentials")


class Line:
    """The line of one account, its time, and every call that was made: when, for which, and whether as a probe."""

    def __init__(self, redis: Redis, count: int) -> None:
        shop = account("a", concurrency=AT_ONCE)
        self.desk = Desk(redis, shop)
        self.records = Records(redis)
        self.calls: list[tuple[int, Claim]] = []
        self._passed_ms = 0
        self._began = self.now()
        self.ids = self.desk.line_up("a", count, expires_ms=shop.expires_after)

    def now(self) -> int:
        return self.desk.ledger.now() + self._passed_ms

    def elapsed(self) -> int:
        return self.now() - self._began

    def work(self, outcome: Outcome, *, takes_ms: int = 0) -> list[Claim]:
        """One turn: all that may pass is called at once, and all of it is answered so."""
        claims = [self.desk.ledger.claim(one, 60_000) for one in self.desk.admit(AT_ONCE)]
        called = [claim for claim in claims if isinstance(claim, Claim)]
        self.calls += [(self.elapsed(), claim) for claim in called]
        if called and takes_ms:
            self.pass_time(takes_ms)
        for claim in called:
            self.desk.answer(claim, outcome)
        return called

    def work_until(self, over: Callable[[], bool], outcome: Outcome, *, takes_ms: int = 0) -> None:
        """Turn after turn, with the pauses that the pacer is told to make; `over` is asked after each call."""
        while True:
            called = self.work(outcome, takes_ms=takes_ms)
            if called and over():
                return
            if not called and self.desk.wait_ms:
                self.pass_time(self.desk.wait_ms + 1)

    def pass_time(self, ms: int) -> None:
        self.desk.later(ms)
        self._passed_ms += ms

    def count(self, state: str) -> int:
        return self.records.count("a", state)

    def attempts(self) -> int:
        return sum(record.attempts for record in self.records.many(self.ids))

    def deliver_all(self) -> int:
        """The provider is back, right after it failed a call. Returns after how long (ms) the next got through."""
        back, before = self.elapsed(), len(self.calls)
        self.work_until(lambda: self.count("accepted") == len(self.ids), Accepted())
        return self.calls[before][0] - back


@pytest.mark.parametrize(
    ("outcome", "takes_ms", "count"), [(AWAY, 0, MANY), (SILENT, 30_000, SOME)], ids=["away", "silent"]
)
def test_three_hours_without_a_provider_cost_probes_and_no_invitation(
    real_redis: Redis, outcome: Outcome, takes_ms: int, count: int
) -> None:
    line = Line(real_redis, count)

    line.work_until(lambda: line.elapsed() > OUTAGE_MS, outcome, takes_ms=takes_ms)

    probes = [claim for _, claim in line.calls if claim.probe]
    assert len(line.calls) - len(probes) == AT_ONCE, "what was in flight when the outage was seen, and no more"
    assert len(probes) <= PROBES == 41
    assert line.attempts() == AT_ONCE
    assert (line.count("queued"), line.count("failed")) == (count, 0)

    assert line.deliver_all() < DOWN_MOST_MS + SLACK_MS
    assert (line.count("accepted"), line.count("failed")) == (count, 0)
    assert line.attempts() == AT_ONCE


def test_calls_one_after_the_other_burn_no_more_attempts_than_show_the_outage(real_redis: Redis) -> None:
    line = Line(real_redis, SOME)
    for _ in range(DOWN_AFTER + 3):
        for one in line.desk.admit(1):
            line.desk.deliver(one, outcome=AWAY)

    assert line.attempts() == DOWN_AFTER


@pytest.fixture
def refused(real_redis: Redis) -> Line:
    """A line whose credentials were refused for an hour, and at its end once more."""
    line = Line(real_redis, SOME)
    line.work_until(lambda: line.elapsed() > HOUR_MS, WHO)
    return line


def test_credentials_that_are_refused_for_an_hour_cost_nothing(refused: Line) -> None:
    assert len(refused.calls) - AT_ONCE <= HOUR_MS // PROBE_MS == 4
    assert refused.attempts() == 0
    assert refused.count("queued") == SOME


def test_a_probe_finds_credentials_mended(refused: Line) -> None:
    assert refused.deliver_all() < PROBE_MS + SLACK_MS
    assert refused.attempts() == 0


def test_resume_tries_mended_credentials_at_once(refused: Line) -> None:
    assert refused.desk.ledger.resume("a") is True

    assert refused.deliver_all() < SLACK_MS
    assert refused.attempts() == 0
