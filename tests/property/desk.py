"""A ledger with short words for what the tests of gate and line do with it."""

from collections import Counter
from typing import Any, cast

from redis import Redis

from config.accounts import BaseAccount, WemasyAccount
from tasks.decision import History, Policy, next_step
from tasks.outcome import Accepted, Limits, Outcome
from tests.property.passing_time import pass_time
from tests.two_steps import TwoStepLedger
from worker.claims import Claim, NoClaim
from worker.entries import Entry
from worker.records import Record, Records

LEASE_MS = 60_000
DAY_MS = 86_400_000
LONG_MS = 300 * DAY_MS
MANY = 1_000


def account(name: str, **fields: Any) -> BaseAccount:
    """An account called `name`, of some provider."""
    return WemasyAccount.model_validate({"name": name, "provider": "wemasy", "token": "t", **fields})


class Desk:
    """One ledger with these accounts configured. `wait_ms` is what the last turn of the pacer was told."""

    def __init__(self, redis: Redis, *accounts: BaseAccount) -> None:
        self.redis = redis
        self.ledger = TwoStepLedger(redis)
        self.wait_ms: int | None = None
        self._lined: Counter[str] = Counter()
        self._gates: dict[str, str] = {}
        self.configure(*accounts)

    def configure(self, *accounts: BaseAccount) -> None:
        self._gates |= {one.name: one.gate for one in accounts}
        self.ledger.configure(accounts)

    def line_up(self, name: str, count: int, *, delay_ms: int = 0, expires_ms: int = LONG_MS) -> list[str]:
        """Accepts so many invitations of the account; their ids are its name and a number, in order."""
        start = self._lined[name]
        self._lined[name] += count
        ids = [f"{name}{number:04}" for number in range(start, start + count)]
        gate = self._gates.get(name, name)
        self.ledger.accept([Entry(one, name, gate, one, "job", delay_ms, expires_ms) for one in ids])
        return ids

    def admit(self, room: int = MANY) -> list[str]:
        """One turn of a pacer, whose bell is answered."""
        self.redis.delete("invitations:bell")
        self.wait_ms, admitted = self.ledger.admit(room, LEASE_MS)
        return admitted

    def claim(self, invitation: str) -> Claim:
        claim = self.ledger.claim(invitation, LEASE_MS)
        assert isinstance(claim, Claim), claim
        return claim

    def no_claim(self, invitation: str) -> str:
        """Why there is nothing to deliver."""
        claim = self.ledger.claim(invitation, LEASE_MS)
        assert isinstance(claim, NoClaim), claim
        return claim.why

    def answer(
        self,
        claim: Claim,
        outcome: Outcome,
        *,
        jitter: float = 0,
        limits: Limits | None = None,
        **changes: Any,
    ) -> str:
        """Settles the claim with what its call came to. Returns the state."""
        history = History(claim.attempts, claim.unclear, claim.probe)
        step = next_step(outcome, history, Policy(10, expects_sent=False), jitter=jitter, limits=limits)
        state, _ = self.ledger.settle(claim.id, claim.token, {**step.as_dict(), **changes})
        gate = self._gates.get(claim.account, claim.account)
        assert self.redis.hget(f"invitations:gate:{gate}", "lesson_fault") is None
        return state

    def deliver(self, *ids: str, outcome: Outcome | None = None, limits: Limits | None = None) -> None:
        """Claims and settles each; without an `outcome` the provider accepts."""
        for invitation in ids:
            self.answer(self.claim(invitation), outcome or Accepted(), limits=limits)

    def later(self, ms: int) -> None:
        pass_time(self.redis, ms)

    def gate(self, name: str) -> dict[str, str]:
        return cast(dict[str, str], self.redis.hgetall(f"invitations:gate:{name}"))

    def shut_ms(self, name: str) -> int:
        """How long the gate stays closed."""
        return int(self.gate(name).get("closed_until", 0)) - self.ledger.now()

    def record(self, invitation: str) -> Record:
        record = Records(self.redis).get(invitation)
        assert record is not None
        return record

    def line(self, name: str) -> list[str]:
        return cast(list[str], self.redis.zrange(f"invitations:line:{name}", 0, -1))

    def shelves(self, name: str) -> dict[str, list[str]]:
        """The ids of the account's invitations that stand on a shelf, by state."""
        keys = sorted(cast(list[str], self.redis.keys(f"invitations:state:{name}:*")))
        return {key.split(":")[-1]: cast(list[str], self.redis.zrange(key, 0, -1)) for key in keys}

    def events(self, invitation: str) -> list[tuple[str, str]]:
        """The states, with their reasons, that the stream tells of one invitation, in order."""
        found = cast(list[tuple[str, dict[str, str]]], self.redis.xrange("invitations:events"))
        return [(event["state"], event["reason"]) for _, event in found if event["id"] == invitation]
