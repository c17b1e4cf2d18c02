"""Erases what is held on addresses: every record, every job on its way in, every event that tells their orders."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar, cast

from redis import Redis

from config.settings import settings
from tasks.acceptance import Acceptance, acceptance
from tasks.persons import Found, Persons
from tasks.unaccepted import Unaccepted, remove, unaccepted
from worker.ledger import Ledger, ledger
from worker.vault import Identity, Vault

T = TypeVar("T")
RECORD = "invitations:record:"
EVENTS = "invitations:events"
BATCH = 500
# A job that is accepted here to be forgotten must not be called in between.
HOLD_MS = 60_000
BARE = ("", "forgotten")


@dataclass(slots=True)
class Erasure:
    """What was erased. `accounts`: for each account how many invitations, by the state they were in; `unaccepted`: jobs
    that nobody had accepted; `events`: entries of `invitations:events`."""

    addresses: int
    accounts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    unaccepted: int = 0
    events: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "addresses": self.addresses,
            "forgotten": sum(states.total() for states in self.accounts.values()),
            "accounts": {account: dict(states) for account, states in sorted(self.accounts.items())},
            "unaccepted": self.unaccepted,
            "events": self.events,
        }


class Eraser:
    """Raises redis.RedisError, and ConfigurationError where a job cannot be opened with the configured keys; what broke
    off is simply run again."""

    def __init__(self, ledger: Ledger, vault: Vault, acceptance: Acceptance) -> None:
        self._ledger = ledger
        self._redis = ledger.redis
        self._vault = vault
        self._acceptance = acceptance

    def forget(self, addresses: Sequence[str], progress: Callable[[int], None] = lambda count: None) -> Erasure:
        """Erases what is held on them now; what comes in for them later is a new job, and accepted.

        What nobody accepted yet is accepted first and then forgotten like the rest: its record stays, empty, so that
        the job which a worker may have in its hands makes no second one. `progress` is called with the number of keys
        of Redis that were looked at since (all: DBSIZE). What was done is noted in the stream `invitations:erasures`,
        without the addresses.
        """
        persons = Persons(addresses, Identity.of(self._redis, self._vault))
        found, erasure = Found(self._redis, self._vault, persons), Erasure(len(persons.digests))
        theirs = {(one.key, one.member): one for one in unaccepted(self._redis) if _names(persons, one)}
        for jobs in _batches(iter(theirs.values())):
            self._forget(self._accept(jobs), found, erasure)
            remove(self._redis, jobs)
            erasure.unaccepted += len(jobs)
        for keys in _batches(cast(Iterator[str], self._redis.scan_iter(count=BATCH))):
            self._forget((key.removeprefix(RECORD) for key in keys if key.startswith(RECORD)), found, erasure)
            progress(len(keys))
        erasure.events = drop_events(self._redis)
        self._ledger.note_erasure({name: json.dumps(value) for name, value in erasure.as_dict().items()})
        return erasure

    def _accept(self, jobs: Sequence[Unaccepted]) -> Iterator[str]:
        raws = [one.job for one in jobs if one.job is not None]
        return (answer.receipt.id for answer in self._acceptance.accept(raws, hold_ms=HOLD_MS))

    def _forget(self, invitations: Iterable[str], found: Found, erasure: Erasure) -> None:
        for invitation, _ in found.among(list(dict.fromkeys(invitations))):
            if was := self._ledger.forget(invitation):
                account, state = was
                erasure.accounts[account][state] += 1


def drop_events(redis: Redis) -> int:
    """Takes out whatever the events tell of invitations that were forgotten, but that they were. Returns how many."""
    dropped, start = 0, "-"
    while page := cast(list[tuple[str, dict[str, str]]], redis.xrange(EVENTS, start, count=BATCH)):
        start = f"({page[-1][0]}"
        telling = [(entry, event["id"]) for entry, event in page if event["order"] or event["reason"] not in BARE]
        with redis.pipeline(transaction=False) as pipe:
            for _, invitation in telling:
                pipe.hexists(RECORD + invitation, "forgotten_at")
            forgotten = pipe.execute()
        theirs = [entry for (entry, _), gone in zip(telling, forgotten, strict=True) if gone]
        dropped += redis.xdel(EVENTS, *theirs) if theirs else 0
    return dropped


def _names(persons: Persons, one: Unaccepted) -> bool:
    return persons.are_named_in(one.job) or persons.are_named_in(one.text)


def _batches(those: Iterator[T]) -> Iterator[list[T]]:
    while batch := list(islice(those, BATCH)):
        yield batch


def eraser() -> Eraser:
    """This process's."""
    return Eraser(ledger(), Vault.of(settings()), acceptance())
