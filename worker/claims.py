"""What a worker is given of an invitation that it may deliver."""

from collections.abc import Sequence
from dataclasses import dataclass, field

UNREADABLE = "unreadable"
"""Why there is no claim of a record at which the script broke off."""


@dataclass(frozen=True, slots=True)
class NoClaim:
    """Why there is nothing to deliver: it was no longer to be claimed (`stale`), the gate is `shut`, the invitation
    `expired` or is `suppressed`, its record is of a `newer` version and was left to workers that know it, or is
    `unreadable`."""

    why: str
    account: str


@dataclass(frozen=True, slots=True)
class Claim:
    """An invitation that a worker holds under a lease. Times in milliseconds since the epoch, Redis's clock.

    `unclear`: an earlier call may have reached the provider. `probe`: the provider is known to be down, and this
    call tests it. `consented_at`: when the provider said last that the customer agreed to be invited; 0 for never.
    `asked_at`: when the claim was asked for, in this process's monotonic seconds: the lease began later.
    `trace`: the traceparent that the invitation carries, or ''.
    """

    id: str
    token: str
    account: str
    job: str = field(repr=False)
    attempts: int = 0
    throttled: int = 0
    unclear: bool = False
    created_at: int = 0
    due_at: int = 0
    now: int = 0
    probe: bool = False
    consented_at: int = 0
    trace: str = ""
    asked_at: float = field(default=0, compare=False)


def read_claim(invitation: str, answer: Sequence[str], asked_at: float) -> Claim | NoClaim:
    """What claim.lua answered."""
    if answer[0] != "ok":
        return NoClaim(*answer)
    token, account, job, attempts, throttled, unclear, created_at, due_at, now, probe, consented, trace = answer[1:]
    return Claim(
        id=invitation,
        token=token,
        account=account,
        job=job,
        attempts=int(attempts),
        throttled=int(throttled),
        unclear=unclear == "1",
        created_at=int(created_at),
        due_at=int(due_at),
        now=int(now),
        probe=probe == "1",
        consented_at=int(consented),
        trace=trace,
        asked_at=asked_at,
    )
