"""What happens to an invitation after one call: the one place that decides it."""

from dataclasses import dataclass
from math import ceil
from typing import Any

from tenacity import RetryCallState, Retrying, wait_exponential

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

FIRST_BACKOFF_SECONDS = 10
LONGEST_BACKOFF_SECONDS = 3600
# So many failures in a row, of whatever invitations, close the gate; then one probe at a time tests it.
DOWN_AFTER = 5
# So many refusals of the credentials in a row pause the account; the refused invitation waits so long meanwhile.
REFUSED_AFTER = 3
REFUSED_WAIT_MS = 2_000
DOWN_MS = 5_000
DOWN_MOST_MS = 5 * 60_000

_backoff = wait_exponential(multiplier=FIRST_BACKOFF_SECONDS, max=LONGEST_BACKOFF_SECONDS)


@dataclass(frozen=True, slots=True)
class History:
    """What an invitation has behind it: failures that counted, whether a call before this one stayed unanswered, and
    whether this one was a probe of a provider that is known to be down."""

    attempts: int
    unclear: bool
    probe: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """What the account asks for; `expects_sent`: whether its provider will tell when the invitation went out."""

    max_attempts: int
    expects_sent: bool


@dataclass(frozen=True, slots=True)
class Step:
    """The next step, as the ledger applies it (worker/lua/settle.lua). Times in milliseconds. `uncalled`: no call was
    made, so its place at the gate is free for another."""

    state: str
    reason: str = ""
    answer: str | None = None
    jitter: float = 0.0
    wait_ms: int | None = None
    counts: bool | None = None
    throttled: bool | None = None
    unclear: bool | None = None
    uncalled: bool | None = None
    consented: bool | None = None
    reference: str | None = None
    sends_in_ms: int | None = None
    expect: bool | None = None
    retry_ms: int | None = None
    maintenance: bool | None = None
    refused_after: int | None = None
    probe_ms: int | None = None
    down_after: int | None = None
    down_ms: int | None = None
    down_most_ms: int | None = None
    limit: int | None = None
    remaining: int | None = None
    window_ms: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def next_step(
    outcome: Outcome, history: History, policy: Policy, *, jitter: float, limits: Limits | None = None
) -> Step:
    """The step that follows from one call. Pure: no clock, no chance but `jitter` (0 to 1), which only lengthens waits.

    A throttled call is not an attempt: the provider never looked at the invitation. Nor is a failed probe: the
    outage is the provider's, and `expires_after` ends the waiting. A duplicate after an unclear call is our own
    success.
    """
    said = gate_lesson(outcome, jitter, limits)
    taken = {"expect": policy.expects_sent, **said}
    match outcome:
        case Accepted():
            return Step("accepted", reference=outcome.reference, sends_in_ms=outcome.scheduled_in_ms, **taken)
        case Duplicate() if history.unclear:
            return Step("accepted", **{**taken, "reason": "an earlier call had reached the provider"})
        case Duplicate() | Rejected() | Suppressed():
            return Step(type(outcome).__name__.lower(), **said)
        case Throttled():
            return Step("queued", throttled=True, unclear=history.unclear, **{**said, "reason": _asked(outcome)})
        case CredentialsRefused():
            return _after_refusal(history, policy, said)
        case Unavailable() | Unclear():
            return _after_failure(outcome, history, policy, said)


def gate_lesson(outcome: object, jitter: float, limits: Limits | None = None) -> dict[str, Any]:
    """What the gate learns from any call, a page of a list included: the fields that worker/lua/lessons.lua names."""
    lesson: dict[str, Any] = {"jitter": jitter, "answer": "ok", "reason": getattr(outcome, "reason", "")}
    if limits and limits.limit:
        lesson |= {"limit": limits.limit, "remaining": limits.remaining, "window_ms": limits.window_ms}
    match outcome:
        case Throttled():
            lesson |= {"answer": "throttled", "retry_ms": outcome.retry_after_ms, "maintenance": outcome.maintenance}
        case CredentialsRefused():
            lesson |= {"answer": "refused", "refused_after": REFUSED_AFTER, "probe_ms": PROBE_MS}
        case Unavailable() | Unclear():
            lesson |= {
                "answer": "down",
                "down_after": DOWN_AFTER,
                "down_ms": DOWN_MS,
                "down_most_ms": DOWN_MOST_MS,
            }
    return lesson


def _asked(outcome: Throttled) -> str:
    """Why it waits, with how long the provider asked for."""
    if outcome.retry_after_ms is None:
        return outcome.reason
    return f"{outcome.reason} (Retry-After: {ceil(outcome.retry_after_ms / 1000)} s)"


def _after_refusal(history: History, policy: Policy, lesson: dict[str, Any]) -> Step:
    """Others of its account go first: their success tells whether it was the account that was refused. The ledger
    counts an attempt where others passed since this invitation was last refused."""
    if history.attempts >= policy.max_attempts:
        reason = f"refused again and again while others passed; the last: {lesson['reason']}"
        return Step("failed", unclear=history.unclear, **{**lesson, "reason": reason})
    return Step("queued", unclear=history.unclear, wait_ms=REFUSED_WAIT_MS, **lesson)


def _after_failure(outcome: Unavailable | Unclear, history: History, policy: Policy, lesson: dict[str, Any]) -> Step:
    attempts = history.attempts + 1
    unclear = history.unclear or isinstance(outcome, Unclear)
    if history.probe:
        return Step("queued", unclear=unclear, wait_ms=backoff_ms(1, lesson["jitter"]), **lesson)
    if attempts >= policy.max_attempts:
        reason = f"gave up after {attempts} attempts; the last: {outcome.reason}"
        return Step("failed", counts=True, unclear=unclear, **{**lesson, "reason": reason})
    return Step("queued", counts=True, unclear=unclear, wait_ms=backoff_ms(attempts, lesson["jitter"]), **lesson)


def backoff_ms(attempt: int, jitter: float) -> int:
    """How long to wait after the failed `attempt` (the first is 1): doubled each time, up to an hour and a quarter."""
    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = attempt
    return round(_backoff(state) * 1000 * (1 + jitter / 4))
