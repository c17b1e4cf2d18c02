"""The ledger: the one place where the state of every invitation stands. Each step is one Lua script, so atomic."""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain
from typing import Any

import structlog
from redis import Redis

from config.accounts import BaseAccount
from worker.claims import UNREADABLE, Claim, NoClaim, read_claim
from worker.connection import redis
from worker.entries import Entry, Receipt, RefusedEntry, in_steps
from worker.scripts import Scripts

log = structlog.get_logger()

# Of the records that this program writes. A newer version may add fields to a record, and needs a number of its own
# only where this program would do wrong with what it adds.
VERSION = 2
# Of those whose end is told to whom the job names: an older program would not tell it.
WITH_REPLY = 3
# The newest that this program can read.
NEWEST = WITH_REPLY
PAGE = 1_000
ERASURES_KEPT = 10_000
# How long a worker leaves a newer record to others before it looks at it again.
FOR_NEWER_MS = 60_000
# How many of one gate pass in one go while others wait: fewer are fairer, and cost a look at more gates.
QUANTUM = 3
# Accounts that one script looks at: others wait for less than a millisecond meanwhile.
LOOKED_AT_ONCE = 100
KEPT_BYTES = 256 * 1024
"""So much is kept of a job that is refused."""
PROBE_MS = 15 * 60_000
NO_ACCOUNT = "-"
# How long a take is asked for again, whose answer did not come.
TAKEN_WITHIN_SECONDS = 10


class Ledger:
    """The steps of an invitation. Raises redis.RedisError where Redis is away; nothing is half done then."""

    def __init__(self, client: Redis) -> None:
        self.redis = client
        self._scripts = Scripts(client)
        self._configured: tuple[BaseAccount, ...] = ()

    def now(self) -> int:
        """Milliseconds since the epoch by Redis's clock."""
        seconds, micros = self.redis.time()
        return int(seconds) * 1000 + int(micros) // 1000

    def accept(self, entries: Sequence[Entry | RefusedEntry], fingerprint: str = "") -> list[Receipt]:
        """One receipt for each entry, in order; all in one pipeline, a hundred in one step.

        `fingerprint`: of the key that their ids were made with. Where Redis holds another key, nothing is written and
        the state is `foreign`.
        """
        steps = list(in_steps(entries))
        if len(steps) == 1:
            answers = [self._scripts.run(script, VERSION, fingerprint, texts, WITH_REPLY) for script, texts in steps]
        else:
            with self.redis.pipeline(transaction=False) as pipe:
                for script, texts in steps:
                    self._scripts.run(script, VERSION, fingerprint, texts, WITH_REPLY, client=pipe)
                answers = pipe.execute()
        states = chain.from_iterable(map(json.loads, answers))
        return [Receipt(entry.id, state, bool(new)) for entry, (state, new) in zip(entries, states, strict=True)]

    def configure(self, accounts: Iterable[BaseAccount]) -> None:
        """Tells every gate its limit, burst and concurrency, and which accounts stand before it."""
        self._configured = tuple(accounts)
        self._tell(self._configured)

    def configure_groups(self) -> None:
        """The same again for gates that accounts share: what a worker of an older version left behind one has a clock
        again, however many stand there."""
        self._tell([account for account in self._configured if account.limit_group])

    def _tell(self, accounts: Iterable[BaseAccount]) -> None:
        gates: dict[str, list[BaseAccount]] = {}
        for account in accounts:
            gates.setdefault(account.gate, []).append(account)
        told = [_configuring(gate, members) for gate, members in gates.items()]
        for start in range(0, len(told), PAGE):
            with self.redis.pipeline(transaction=False) as pipe:
                for configuration in told[start : start + PAGE]:
                    self._scripts.run("configure", *configuration, client=pipe)
                pipe.execute()

    def take(
        self, room: int, lease_ms: int, by: str, number: int, asked_at: float
    ) -> tuple[int | None, dict[str, Claim | NoClaim]]:
        """Takes what may pass now, `room` at most: each under a lease.

        Returns milliseconds until the next look (None: nothing is known to come), and by id the claims, or why there is
        none. Under the name and number of a take whose answer did not come, the same claims are given again; `asked_at`
        says when they were asked for first. Where Redis forgot what was configured, it is told again.
        """
        wait, unknown, *told = self._scripts.run(
            "take", room, lease_ms, QUANTUM, PROBE_MS, NEWEST, FOR_NEWER_MS, by, number
        )
        claims = {invitation: _read(invitation, answer, asked_at) for invitation, *answer in told}
        if int(unknown) and self._configured:
            self.configure(self._configured)
            return 0, claims
        return (None if int(wait) < 0 else int(wait)), claims

    def settle(self, invitation: str, token: str, step: dict[str, Any]) -> tuple[str, bool]:
        """Applies what a call came to (see settle.lua for the fields of `step`). Returns the state, and whether the
        step was applied: it is not where another worker took over in between and the step is not final."""
        state, applied, news = self._scripts.run("settle", invitation, token, _json(step))
        _announce(news, step)
        return state, bool(applied)

    def spend(self, gate: str, account: str, owed_ms: int) -> int:
        """Asks for one call beside the deliveries. 0: go now; -1: the account is paused; else milliseconds until
        it may ask again, for which one place is kept, `owed_ms` long."""
        return int(self._scripts.run("spend", gate, account, owed_ms))

    def tell(self, gate: str, account: str, step: dict[str, Any], *, announced: bool = True) -> None:
        """What such a call came to: the gate learns from it as from a delivery. `announced`: news is logged."""
        news = self._scripts.run("tell", gate, account, _json(step))
        if announced:
            _announce(news, step, account=account)

    def sent(self, invitation: str, sent_at: int) -> bool:
        """The provider says that it went out at `sent_at` (ms). True where that was news."""
        return bool(self._scripts.run("sent", invitation, sent_at))

    def cancel(self, invitation: str, reason: str) -> tuple[str, bool]:
        """The state of the invitation, and whether it was cancelled now; `unknown` where there is none."""
        state, changed = self._scripts.run("cancel", invitation, reason)
        return state, bool(changed)

    def replay(self, invitation: str) -> tuple[str, bool]:
        """The state of the invitation, and whether it was lined up afresh; `unknown` where there is none, `forgotten`
        where its job is no longer kept. One whose address asked for no invitations since comes to `suppressed`."""
        state, changed = self._scripts.run("replay", invitation)
        return state, bool(changed)

    def suppress(self, invitation: str, who: str) -> bool:
        """Ends an invitation that waits, where its address stands on the opt-out list. True where it was ended now."""
        return bool(self._scripts.run("suppress", invitation, who))

    def forget(self, invitation: str) -> tuple[str, str] | None:
        """Takes out whatever tells of the customer, and cancels what waits. Returns the account and the state it was
        in, None where there is nothing to forget, or no longer."""
        was = self._scripts.run("forget", invitation)
        return (was[0], was[1]) if was else None

    def pause(self, account: str, reason: str) -> None:
        """Nothing of this account passes until it is resumed; calls that run end."""
        self._scripts.run("pause", account, reason)

    def resume(self, account: str) -> bool:
        """Sets the account going. True where it was paused, or shut by an outage; a Retry-After stays in force."""
        return bool(self._scripts.run("resume", account))

    def opt_out(self, key: str, digests: Sequence[str]) -> int:
        """Puts digests of addresses onto the opt-out list that stands at `key`. Returns how many are new there."""
        pages = [digests[start : start + PAGE] for start in range(0, len(digests), PAGE)]
        return sum(int(self._scripts.run("opt_out", key, *page)) for page in pages)

    def note_erasure(self, told: dict[str, str]) -> None:
        """Adds to the stream `invitations:erasures` what was erased, and when; the last ten thousand are kept."""
        self._scripts.run("note_erasure", ERASURES_KEPT, *chain.from_iterable(told.items()))

    def note_active(self, accounts: Sequence[str]) -> None:
        """These accounts are in use (worker/active.py)."""
        with self.redis.pipeline(transaction=False) as pipe:
            for start in range(0, len(accounts), LOOKED_AT_ONCE):
                self._scripts.run("active", *accounts[start : start + LOOKED_AT_ONCE], client=pipe)
            pipe.execute()

    def overview(self, accounts: Sequence[tuple[str, str]], states: Sequence[str]) -> list[tuple[int, list[Any]]]:
        """How each account, given with its gate, stands: the time (ms) at which it was looked at, and what overview.lua
        says of it."""
        with self.redis.pipeline(transaction=False) as pipe:
            for start in range(0, len(accounts), LOOKED_AT_ONCE):
                pairs = chain.from_iterable(accounts[start : start + LOOKED_AT_ONCE])
                self._scripts.run("overview", len(states), *states, *pairs, client=pipe)
            answers = [json.loads(answer) for answer in pipe.execute()]
        return [(int(now), row) for now, rows in answers for row in rows]

    def erase(self, invitation: str, account: str, state: str, not_after: int) -> bool:
        """Erases a finished invitation that stands on the shelf of `state` since `not_after` (ms) or earlier."""
        return bool(self._scripts.run("erase", invitation, account, state, not_after))


def _configuring(gate: str, members: list[BaseAccount]) -> tuple[str | int, ...]:
    first = members[0]
    limit = (first.limit.count, first.limit.period_ms) if first.limit else ("", "")
    return gate, *limit, first.burst or "", first.concurrency, *(member.name for member in members)


def _announce(news: str, step: dict[str, Any], **of: str) -> None:
    if news == "gate_opened":
        log.info(news, **of)
    elif news:
        log.warning(news, reason=step.get("reason"), **of)


def _read(invitation: str, answer: Sequence[str], asked_at: float) -> Claim | NoClaim:
    """One record from which something is missing does not stand in the way of the others."""
    try:
        return read_claim(invitation, answer, asked_at)
    except (TypeError, ValueError):
        return NoClaim(UNREADABLE, "-")


def _json(step: dict[str, Any]) -> str:
    # Lua reads a null as something that is there.
    return json.dumps({name: value for name, value in step.items() if value is not None})


@cache
def ledger() -> Ledger:
    """This process's ledger."""
    return Ledger(redis())
