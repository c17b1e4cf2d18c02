"""Who asked for no invitations: nobody calls a provider for them, whatever way in their jobs come by."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from config.accounts_file import accounts
from config.settings import settings
from tasks.persons import Found, Persons
from worker.ledger import Ledger, ledger
from worker.records import Records
from worker.suppressed import OptOuts
from worker.vault import Identity, Vault

BATCH = 500
UNFINISHED = ("queued", "delivering")
EVERY = "*"


@dataclass(frozen=True, slots=True)
class Added:
    """How many addresses are new on the list, how many were there, and how many invitations that waited were ended."""

    added: int
    known: int
    ended: int


class Suppression:
    """The opt-out list of this deployment. Raises redis.RedisError where Redis is away."""

    def __init__(self, ledger: Ledger, vault: Vault, accounts: Sequence[str]) -> None:
        self._ledger = ledger
        self._vault = vault
        self._records = Records(ledger.redis)
        self._accounts = sorted({*accounts, *self._records.accounts()})
        self._list = OptOuts(ledger)
        self._identity = Identity.of(ledger.redis, vault)

    def add(
        self, addresses: Sequence[str], account: str | None, progress: Callable[[int], None] = lambda count: None
    ) -> Added:
        """Puts them on the list of an account, or of all. What waits for them ends; what a worker holds ends when it is
        to be called again. `progress` is called with how many that wait were looked at since (all: `waiting`).

        Raises ConfigurationError where a job of an older version cannot be opened with the configured keys.
        """
        persons = Persons(addresses, self._identity)
        # First the list: what comes in from now on ends by itself.
        added = self._list.add(persons.digests, account)
        found, ended = Found(self._ledger.redis, self._vault, persons), 0
        for ids in self._batches(account):
            ended += sum(self._ledger.suppress(invitation, who) for invitation, who in found.among(ids))
            progress(len(ids))
        return Added(added, len(persons.digests) - added, ended)

    def waiting(self, account: str | None) -> int:
        """How many invitations wait."""
        return sum(self._records.count(name, state) for name in self._of(account) for state in UNFINISHED)

    def remove(self, addresses: Sequence[str], account: str | None) -> int:
        """Takes them off the list of an account, or off every list. Returns how many stood on one."""
        digests = list(Persons(addresses, self._identity).digests)
        lists = [account] if account else [None, *self._accounts]
        there = {who for name in lists for who, at in self._on(name, digests) if at is not None}
        for name in lists:
            self._list.remove(digests, name)
        return len(there)

    def check(self, addresses: Sequence[str], account: str | None = None) -> list[dict[str, int]]:
        """For each address the lists on which it stands, and since when (ms since the epoch): names of accounts, `*`
        for the list of all. With an `account`, only those that hold for it."""
        digests = [self._identity.who(address) for address in addresses]
        found: list[dict[str, int]] = [{} for _ in digests]
        for name in [None, *self._of(account)]:
            for lists, (_, at) in zip(found, self._on(name, digests), strict=True):
                if at is not None:
                    lists[name or EVERY] = at
        return found

    def _on(self, name: str | None, digests: list[str]) -> Iterator[tuple[str, int | None]]:
        return zip(digests, self._list.since(digests, name), strict=True)

    def _of(self, account: str | None) -> list[str]:
        return [account] if account else self._accounts

    def _batches(self, account: str | None) -> Iterator[list[str]]:
        """In the order of their way: what moves on meanwhile is met again."""
        for state in UNFINISHED:
            for name in self._of(account):
                # All before the first: what is ended meanwhile would shift the pages.
                ids = iter(list(self._records.ids(name, state)))
                while batch := list(islice(ids, BATCH)):
                    yield batch


def suppression() -> Suppression:
    """This process's."""
    return Suppression(ledger(), Vault.of(settings()), list(accounts()))
