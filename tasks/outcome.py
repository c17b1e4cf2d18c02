"""What one call to a provider came to. A closed list: whatever a provider answers becomes one of these."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the invitation; it means to send it `scheduled_in_ms` milliseconds from now."""

    reference: str | None = None
    scheduled_in_ms: int = 0


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The provider had invited this customer before."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider will never take this invitation."""

    reason: str


@dataclass(frozen=True, slots=True)
class Suppressed:
    """The customer did not agree to be invited."""

    reason: str


@dataclass(frozen=True, slots=True)
class Throttled:
    """Too many calls: the provider never looked at the invitation.

    `retry_after_ms`: how long it asked to be left alone (milliseconds), None where it named no time. `maintenance`: it
    is closed for everybody (503), which says nothing of a limit.
    """

    reason: str
    retry_after_ms: int | None = None
    maintenance: bool = False


@dataclass(frozen=True, slots=True)
class CredentialsRefused:
    """The provider does not know the account, or no longer."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The provider could not be reached: it cannot have seen the invitation."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """The request went out and no clear answer came: the provider may have taken the invitation."""

    reason: str


Outcome = Accepted | Duplicate | Rejected | Suppressed | Throttled | CredentialsRefused | Unavailable | Unclear


@dataclass(frozen=True, slots=True)
class Consented:
    """The customer agreed to be invited."""


@dataclass(frozen=True, slots=True)
class NotListed:
    """The provider's list reaches back far enough, and the invitation is not in it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the provider said of its rate limit: `limit` calls in `window_ms`, of which `remaining` are left."""

    limit: int | None
    remaining: int | None
    window_ms: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of a call, what it said of the limit, and how long it took (seconds)."""

    outcome: Outcome
    limits: Limits | None = None
    seconds: float = 0.0
