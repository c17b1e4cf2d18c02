"""What a provider's file says of its provider: everything that differs, and nothing else."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from config.accounts import BaseAccount
from tasks.delay import Delay
from tasks.faults import Fault
from tasks.job import Job
from tasks.outcome import Consented, Outcome
from tasks.providers.listing import Page

AccountT = TypeVar("AccountT", bound=BaseAccount)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP call. Its parts may hold credentials and personal data, so it has no readable repr.

    `path` follows `root`: scheme and host, those of the account's `base_url` unless told otherwise. The path is told in
    traces: nothing personal and no secret may stand in it. `json`: anything that JSON can hold, arrays included.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    json: Any = None
    root: str = ""

    def __repr__(self) -> str:
        return f"Request({self.method} {self.path})"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the status code, the headers (names in any case) and the body.

    `data` is the JSON object in the body, `array` the JSON array, each None where the body is anything else.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    data: dict[str, Any] | None = field(repr=False)
    array: list[Any] | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class TokenCall:
    """How an access token is fetched. `client` is whose it is, among all providers: accounts of one client share it,
    for a new token may make the one before it invalid. `secret` encrypts it where it is shared."""

    request: Request
    client: str
    secret: str = field(repr=False)


class Tokens(Protocol):
    """Access tokens that all workers share; see worker.tokens."""

    def get(
        self,
        client: str,
        fetch: Callable[[], tuple[str, int]],
        *,
        secret: str,
        timeout: float,
        refused: str | None = None,
    ) -> str:
        """The client's token. `fetch` returns a new one and for how many milliseconds it is good; it is
        called by one worker at a time, when there is no token or when the current one is `refused`.

        `secret` encrypts the token; `timeout`: seconds to wait for a worker that is fetching.

        Raises:
            TimeoutError: another worker was still fetching after `timeout`.
            Exception: whatever `fetch` raises.
        """
        ...


class Provider(ABC, Generic[AccountT]):
    """One provider: which calls it takes and what its answers mean. Pure: no I/O, no clock, nothing kept."""

    account_model: ClassVar[type[BaseAccount]]
    """The model of its accounts; their `provider` is the name of this one."""
    carries: frozenset[str]
    """The fields of a job, besides account, email, delay and idempotency_key, that it can carry; `invite`
    where it can register an order without an invitation."""
    rate_window_ms: int = 60_000
    """The window of its X-RateLimit headers."""
    lists: bool = False
    """Whether it lists its invitations, so that `sent` can be learned."""

    def faults(self, job: Job) -> list[Fault]:
        """What this provider would never take in a job that is valid as such."""
        return []

    @abstractmethod
    def schedules(self, delay: Delay) -> bool:
        """Whether the provider waits out `delay` itself; any other delay is waited out in the line."""

    @abstractmethod
    def invitation(self, account: AccountT, job: Job) -> Request:
        """The call that creates the invitation, without credentials."""

    def dated(self, account: AccountT, job: Job, request: Request, now: datetime) -> Request:
        """`request` with the moments at which the provider is to send, where it asks for moments in place of delays.

        `now` is aware, in the account's time zone: tasks.delay.moment counts a delay from it.
        """
        return request

    @abstractmethod
    def authorise(self, account: AccountT, request: Request, token: str | None) -> Request:
        """`request` with the account's credentials; `token` is the shared one, where `token_call` asks for
        it."""

    @abstractmethod
    def read(self, account: AccountT, job: Job, reply: Reply) -> Outcome | None:
        """What an answer to `invitation` means; None where the body is none that the provider is known to
        send.

        429, and 503 with Retry-After, never get here.
        """

    def consent_request(self, account: AccountT, job: Job) -> Request | None:
        """The call that asks whether the customer agreed to be invited, or None where it cannot be asked."""
        return None

    def read_consent(self, account: AccountT, reply: Reply) -> Consented | Outcome | None:
        """What an answer to `consent_request` means; Suppressed for a no, None where the body is none that is known."""
        return None

    def token_call(self, account: AccountT) -> TokenCall | None:
        """The call that fetches an access token, or None where the account's own credentials do."""
        return None

    def read_token(self, reply: Reply, now: datetime) -> tuple[str, int] | None:
        """The token of an answer to `token_call` and for how many milliseconds it is good; None if there is
        none."""
        return None

    def list_request(self, account: AccountT, offset: int, size: int) -> Request | None:
        """The call for `size` (1-100) invitations after the newest `offset`, or None where nothing is
        listed."""
        return None

    def read_list(self, account: AccountT, reply: Reply) -> Page | Outcome | None:
        """The rows of an answer to `list_request`, a known failure, or None where the body is neither."""
        return None
