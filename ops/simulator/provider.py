"""What the three providers share: routes, an account behind every call, and answers to what goes wrong."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ops.simulator.options import SimulatorOptions
from ops.simulator.state import Account, Outcome
from ops.simulator.wire import Headers, Kind, Reply, Request

WRONG = "wrong"
"""Credentials that begin with this word are refused."""

TOO_MANY = "Too Many Requests"


@dataclass(frozen=True, slots=True)
class Call:
    """A call that passed the limit. `fields` is its body as the provider reads it."""

    kind: Kind
    request: Request
    fields: dict[str, object]
    account: Account
    has_consent: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the provider did, and what it says about it."""

    outcome: Outcome
    reply: Reply


class Provider(ABC):
    """One provider's API. Holds what that provider alone remembers; a reset makes a new one."""

    routes: ClassVar[Mapping[str, Mapping[str, Kind]]]
    """Path, without `/api`, to method to kind of call."""

    broken: ClassVar[str] = "Server Error"
    """What it says when the fault is its own."""

    def __init__(self, options: SimulatorOptions) -> None:
        self.options = options

    @abstractmethod
    def caller(self, request: Request) -> str:
        """The account's name, see `account_key`."""

    @abstractmethod
    def fields(self, request: Request) -> dict[str, object]:
        """The body of a create call; {} where it cannot be read."""

    @abstractmethod
    def reference(self, fields: dict[str, object]) -> str:
        """`invitation_ref` of the customer and order in the body, or "" where it names none."""

    @abstractmethod
    def process(self, call: Call) -> Verdict:
        """Check credentials and contents, do what is asked, answer."""

    @abstractmethod
    def error(self, status: int, message: str) -> Reply:
        """The shape in which this provider says that something went wrong."""

    @abstractmethod
    def refused(self) -> Reply:
        """The answer to credentials that are not accepted."""

    def limit_headers(self, limit: int, remaining: int) -> Headers:
        """Headers that stand on every answer to an account with a limit."""
        return ()
