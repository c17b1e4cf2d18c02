"""An invitation's life up to each of its states, with a needle in whatever it keeps of its customer."""

from collections.abc import Callable

from tasks.outcome import Accepted, Duplicate, Outcome, Rejected
from tests.property.desk import LONG_MS, Desk
from worker.claims import Claim
from worker.entries import Entry, RefusedEntry

PERSONAL = (
    "needle-job",
    "needle-order",
    "needle-natural",
    "needle-who",
    "needle-trace",
    "needle-reference",
    "needle-reason",
    "needle-fault",
)


def accept(line: Desk) -> None:
    needles = "needle-natural", "needle-who", "needle-trace"
    entry = Entry("x", "a", "a", "needle-order", "needle-job", 0, LONG_MS, *needles)
    assert line.ledger.accept([entry])[0].created


def hold(line: Desk) -> Claim:
    accept(line)
    return line.claim(*line.admit())


def answered(outcome: Outcome) -> Callable[[Desk], object]:
    return lambda line: line.answer(hold(line), outcome, reason="needle-reason", expect=True)


def refused(line: Desk) -> None:
    fault = '[{"field": "needle-fault", "problem": ""}]'
    line.ledger.accept([RefusedEntry("x", "a", "needle-job", fault, "needle-reason", "needle-order", "needle-who")])


def sent(line: Desk) -> None:
    answered(Accepted("needle-reference"))(line)
    assert line.ledger.sent("x", line.ledger.now())


def cancelled(line: Desk) -> None:
    accept(line)
    line.ledger.cancel("x", "needle-reason")


def suppressed(line: Desk) -> None:
    line.redis.hset("invitations:suppressed", "needle-who", 1)
    accept(line)
    line.redis.delete("invitations:suppressed")


LIVES: dict[str, Callable[[Desk], object]] = {
    "queued": accept,
    "delivering": hold,
    "accepted": answered(Accepted("needle-reference")),
    "sent": sent,
    "duplicate": answered(Duplicate("")),
    "rejected": answered(Rejected("")),
    "failed": lambda line: line.answer(hold(line), Rejected(""), state="failed", reason="needle-reason"),
    "refused": refused,
    "suppressed": suppressed,
    "cancelled": cancelled,
}
