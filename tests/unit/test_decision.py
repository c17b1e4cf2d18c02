"""What happens to an invitation after one call, as a table."""

from typing import Any

import pytest

from tasks.decision import REFUSED_AFTER, REFUSED_WAIT_MS, History, Policy, backoff_ms, gate_lesson, next_step
from tasks.outcome import (
    Accepted,
    CredentialsRefused,
    Duplicate,
    Limits,
    Outcome,
    Rejected,
    Suppressed,
    Throttled,
    Unavailable,
    Unclear,
)
from worker.ledger import PROBE_MS

POLICY = Policy(max_attempts=3, expects_sent=True)
FRESH, UNCLEAR, LAST = History(0, False), History(1, True), History(2, False)
BACKOFF = {"wait_ms": 10_000, "counts": True, "answer": "down"}

TABLE: list[tuple[Outcome, History, str, dict[str, Any]]] = [
    (
        Accepted("42", 5),
        FRESH,
        "accepted",
        {"reference": "42", "sends_in_ms": 5, "expect": True, "answer": "ok"},
    ),
    (Accepted(), LAST, "accepted", {"counts": None, "answer": "ok"}),
    (Duplicate("known"), FRESH, "duplicate", {"reason": "known", "expect": None, "answer": "ok"}),
    (
        Duplicate("known"),
        UNCLEAR,
        "accepted",
        {"reason": "an earlier call had reached the provider", "expect": True, "answer": "ok"},
    ),
    (Rejected("no"), FRESH, "rejected", {"reason": "no", "answer": "ok"}),
    (Suppressed("no consent"), FRESH, "suppressed", {"reason": "no consent", "expect": None, "answer": "ok"}),
    (Suppressed("no consent"), UNCLEAR, "suppressed", {"reason": "no consent", "counts": None, "answer": "ok"}),
    (
        Throttled("slow", 7_000),
        FRESH,
        "queued",
        {
            "reason": "slow (Retry-After: 7 s)",
            "retry_ms": 7_000,
            "throttled": True,
            "counts": None,
            "wait_ms": None,
            "answer": "throttled",
        },
    ),
    (Throttled("slow", 6_001), FRESH, "queued", {"reason": "slow (Retry-After: 7 s)", "retry_ms": 6_001}),
    (Throttled("slow"), LAST, "queued", {"reason": "slow", "retry_ms": None, "counts": None, "answer": "throttled"}),
    (Throttled("slow"), UNCLEAR, "queued", {"unclear": True}),
    (
        CredentialsRefused("who?"),
        LAST,
        "queued",
        {
            "counts": None,
            "wait_ms": REFUSED_WAIT_MS,
            "answer": "refused",
            "refused_after": REFUSED_AFTER,
            "probe_ms": PROBE_MS,
        },
    ),
    (CredentialsRefused("who?"), UNCLEAR, "queued", {"unclear": True}),
    (
        CredentialsRefused("who?"),
        History(3, False),
        "failed",
        {"reason": "refused again and again while others passed; the last: who?", "answer": "refused"},
    ),
    (Throttled("closed", 7_000, maintenance=True), FRESH, "queued", {"maintenance": True, "retry_ms": 7_000}),
    (Unavailable("down"), FRESH, "queued", {**BACKOFF, "unclear": False}),
    (Unavailable("down"), UNCLEAR, "queued", {"wait_ms": 20_000, "unclear": True}),
    (Unclear("lost"), FRESH, "queued", {**BACKOFF, "unclear": True}),
    (
        Unavailable("down"),
        LAST,
        "failed",
        {"reason": "gave up after 3 attempts; the last: down", "counts": True, "answer": "down"},
    ),
    (
        Unavailable("down"),
        History(2, False, probe=True),
        "queued",
        {"counts": None, "wait_ms": 10_000, "unclear": False, "answer": "down"},
    ),
    (
        Unclear("lost"),
        LAST,
        "failed",
        {"reason": "gave up after 3 attempts; the last: lost", "unclear": True},
    ),
]


@pytest.mark.parametrize(("outcome", "history", "state", "expected"), TABLE)
def test_the_next_step(outcome: Outcome, history: History, state: str, expected: dict[str, Any]) -> None:
    step = next_step(outcome, history, POLICY, jitter=0)

    assert step.state == state
    assert {name: getattr(step, name) for name in expected} == expected


def test_an_invitation_whose_provider_tells_nothing_is_not_waited_for() -> None:
    assert next_step(Accepted(), FRESH, Policy(3, expects_sent=False), jitter=0).expect is False


@pytest.mark.parametrize("attempt", range(1, 12))
def test_backoff_doubles_up_to_an_hour_and_jitter_only_lengthens_it(attempt: int) -> None:
    least = min(3_600_000, 10_000 * 2 ** (attempt - 1))

    assert backoff_ms(attempt, 0) == least
    assert backoff_ms(attempt, 1) == least * 1.25


def test_what_the_provider_says_of_its_limit_reaches_the_gate_with_any_outcome() -> None:
    limits = Limits(limit=60, remaining=0, window_ms=60_000)

    for outcome in (Accepted(), Rejected("no"), Throttled("slow"), Unclear("lost")):
        lesson = gate_lesson(outcome, 0.5, limits)
        assert (lesson["limit"], lesson["remaining"], lesson["window_ms"]) == (60, 0, 60_000)
    assert "limit" not in gate_lesson(Accepted(), 0.5, Limits(None, 3, 60_000))
