"""What the simulator remembers: accounts with their counts, and the latest calls. All of it is bounded."""

import hashlib
from collections import Counter, deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypedDict, TypeVar

from ops.simulator.limits import Rate, Window
from ops.simulator.wire import Kind

MAX_CALLS = 100_000
MAX_ACCOUNTS = 20_000

_NAME_LENGTH = 64
_HASH_LENGTH = 8
_REF_LENGTH = 16

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Outcome(StrEnum):
    """What a provider did with a call. Every call has exactly one, so that the counts add up to `calls`."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicates"
    LIMITED = "rejected_by_limit"
    REJECTED = "rejected"
    FAILED = "failed"
    REFUSED = "refused_credentials"
    RETRIEVED = "retrieved"
    TOKEN = "tokens_issued"


INSIDE_RETRY_AFTER = "inside_retry_after"

_COUNTS = ("calls", *(outcome.value for outcome in Outcome), INSIDE_RETRY_AFTER)

Counts = dict[str, int]


class Stats(TypedDict):
    """The body of `GET /_stats`: counts of each account by name, and their sum."""

    accounts: dict[str, Counts]
    total: Counts


def account_key(provider: str, credential: str, *, is_client_id: bool = False) -> str:
    """The name under which the statistics show an account.

    provider: "webwinkelkeur" (or "trustprofile", the same API), "wemasy" or "feedbackcompany".
    credential: the shop's id for the first; a bearer token for the others, of which only a hash is shown;
    with `is_client_id` the client id of a Feedback Company account that fetches its tokens.
    """
    if provider in ("webwinkelkeur", "trustprofile"):
        return f"webwinkelkeur/{credential[:_NAME_LENGTH] or 'none'}"
    if not credential:
        return f"{provider}/none"
    return f"{provider}/{credential[:_NAME_LENGTH] if is_client_id else _digest(credential, _HASH_LENGTH)}"


def invitation_ref(email: str, order: str = "") -> str:
    """A short hash of address (case aside) and order: the same for all calls about one invitation.

    Wemasy knows no orders: its references have the order "".
    """
    return _digest(f"{email.strip().lower()}\n{order}", _REF_LENGTH)


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:length]


class Bounded(dict[K, V], Generic[K, V]):
    """A dict that forgets its oldest entry when it holds more than `limit`."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        if len(self) > self._limit:
            del self[next(iter(self))]


@dataclass(slots=True)
class CallRecord:
    """One call, without personal data. `retry_after_age_ms` is None outside of a running Retry-After."""

    at_ms: int
    account: str
    kind: Kind
    ref: str
    status: int = 0
    retry_after_age_ms: int | None = None

    def as_json(self) -> dict[str, object]:
        """The row of `GET /_calls`."""
        return {
            "at_ms": self.at_ms,
            "account": self.account,
            "status": self.status,
            "kind": self.kind,
            "inside_retry_after": self.retry_after_age_ms is not None,
            "retry_after_age_ms": self.retry_after_age_ms,
            "ref": self.ref,
        }


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that WebwinkelKeur took; times in ns of the wall clock."""

    email: str
    order: str
    delay: int
    created_ns: int
    scheduled_ns: int
    sent_ns: int


@dataclass(slots=True)
class Account:
    """One customer of a provider. `closed_*_ns` delimit the Retry-After that it was told last."""

    key: str
    max_records: int
    counts: Counter[str] = field(default_factory=Counter)
    window: Window | None = None
    window_rate: Rate | None = None
    closed_from_ns: int = 0
    closed_until_ns: int = 0
    known: Bounded[str, None] = field(init=False)
    invitations: deque[Invitation] = field(init=False)

    def __post_init__(self) -> None:
        self.known = Bounded(self.max_records)
        self.invitations = deque(maxlen=self.max_records)

    def remember(self, identity: str) -> bool:
        """Note that this customer or order was taken. False when it already was."""
        if identity in self.known:
            return False
        self.known[identity] = None
        return True

    def retry_after_age_ms(self, at_ns: int) -> int | None:
        """How long ago the Retry-After that runs at `at_ns` was given, or None when none runs."""
        if not self.closed_from_ns <= at_ns < self.closed_until_ns:
            return None
        return (at_ns - self.closed_from_ns) // 1_000_000

    def close(self, from_ns: int, until_ns: int) -> None:
        """A Retry-After that ends at `until_ns` was given at `from_ns`; of several the last end counts."""
        if from_ns >= self.closed_until_ns:
            self.closed_from_ns = from_ns
        self.closed_until_ns = max(self.closed_until_ns, until_ns)


class State:
    """All accounts, the sum of their counts, and the latest calls."""

    def __init__(self, max_records: int) -> None:
        self._max_records = max_records
        self._accounts: Bounded[str, Account] = Bounded(MAX_ACCOUNTS)
        self._total: Counter[str] = Counter()
        self._calls: deque[CallRecord] = deque(maxlen=MAX_CALLS)

    def account(self, key: str) -> Account:
        """The account of that name, made at its first call."""
        account = self._accounts.get(key)
        if account is None:
            account = self._accounts[key] = Account(key, self._max_records)
        return account

    def count(self, account: Account, record: CallRecord, outcome: Outcome) -> None:
        """Add one call to the counts and to the log."""
        names = ["calls", outcome.value]
        if record.retry_after_age_ms is not None:
            names.append(INSIDE_RETRY_AFTER)
        for name in names:
            account.counts[name] += 1
            self._total[name] += 1
        self._calls.append(record)

    def stats(self) -> Stats:
        """The body of `GET /_stats`."""
        accounts = {key: _all_counts(account.counts) for key, account in self._accounts.items()}
        return {"accounts": accounts, "total": _all_counts(self._total)}

    def calls(self) -> list[dict[str, object]]:
        """The body of `GET /_calls`, oldest first."""
        return [record.as_json() for record in self._calls]


def _all_counts(counts: Counter[str]) -> Counts:
    return {name: counts[name] for name in _COUNTS}
