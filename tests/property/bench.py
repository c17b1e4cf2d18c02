"""A ledger under test: every step goes through it, and what the step must not do is checked on the way."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, cast

from redis import Redis

from config.accounts import BaseAccount
from tests.property.desk import LEASE_MS
from tests.property.invariants import check_admission, check_bell, check_clocks, check_places, check_turns
from tests.property.passing_time import pass_time
from tests.property.promises import at_once, limit_that_holds
from tests.property.snapshot import Snapshot, take_snapshot
from tests.two_steps import TwoStepLedger
from worker.claims import Claim, NoClaim
from worker.entries import Entry
from worker.ledger import Ledger
from worker.suppressed import OptOuts

P = "invitations:"
ACCOUNTS = ("a", "b", "c")
GROUP = "g"
GATES = (*ACCOUNTS, f"group.{GROUP}")
UNFINISHED = ("queued", "delivering")

Scored = list[tuple[str, float]]


class Bench:
    """One ledger in one empty database, and what is known of it from outside."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.ledger = TwoStepLedger(redis)
        self.opt_outs = OptOuts(self.ledger)
        self.ids: set[str] = set()
        self.messages: list[str] = []
        self.claims: list[Claim] = []
        self._passed_ms = self._takes = 0
        self._held_until: dict[str, int] = {}
        self._calls: dict[str, list[int]] = defaultdict(list)
        self._limits: dict[str, tuple[int, int] | None] = {}
        self._histories: dict[str, list[dict[str, str]]] = defaultdict(list)
        self._last_event = "-"
        self._first_look: int | None = None
        self.seen = self._look()

    def accept(self, entries: Iterable[Entry]) -> None:
        entries = list(entries)
        known = set(self.ids)
        for receipt in self.ledger.accept(entries):
            assert receipt.created is (receipt.id not in known), f"{receipt} beside {sorted(known)}"
            known.add(receipt.id)
        self.ids = known

    def configure(self, *accounts: BaseAccount) -> None:
        """By another process: who admits here knows no configuration and tells none."""
        Ledger(self.redis).configure(accounts)

    def admit(self, room: int) -> list[str]:
        """One turn of a pacer. Returns the announced ids, and keeps the wait in `wait_ms`."""
        paused = {name for name, view in self.seen.accounts.items() if view.pause}
        self.redis.lpop(f"{P}bell")
        self.wait_ms, admitted = self.ledger.admit(room, LEASE_MS)
        after = self._look()
        # It rings for another worker where more is due, for which this one had no room.
        is_more_due = after.first_look is not None and after.first_look <= after.now
        assert after.bell <= int(is_more_due and len(admitted) == room)
        assert after.bell or self.wait_ms != 0, "due, and nobody comes back for it"
        self._first_look = None if after.bell else after.first_look
        assert len(admitted) == len(set(admitted)) <= room
        check_admission(after, admitted, paused)
        self.messages += admitted
        return admitted

    def claim(self, invitation: str) -> Claim | NoClaim:
        """What a worker gets for a message. Nobody gets what another holds."""
        claim = self.ledger.claim(invitation, LEASE_MS)
        if isinstance(claim, Claim):
            self._note(claim)
        return claim

    def take(self, room: int, *, again: bool) -> list[Claim]:
        """What a worker takes in one step; `again`: the answer to its last take was lost, and it asks for the same."""
        paused = {name for name, view in self.seen.accounts.items() if view.pause}
        self._takes += not again
        self.redis.lpop(f"{P}bell")
        self.wait_ms, answers = self.ledger.take(room, LEASE_MS, "worker", self._takes, 0)
        after, known = self._look(), {(claim.id, claim.token) for claim in self.claims}
        claims = [claim for claim in answers.values() if isinstance(claim, Claim)]
        fresh = [claim for claim in claims if (claim.id, claim.token) not in known]
        assert again or (len(answers) <= room and len(fresh) == len(claims))
        assert after.bell or self.wait_ms != 0 or again, "due, and nobody comes back for it"
        self._first_look = None if after.bell else after.first_look
        check_admission(after, [claim.id for claim in fresh], paused)
        for claim in fresh:
            self._note(claim)
        return claims

    def _note(self, claim: Claim) -> None:
        assert not self.is_suppressed(claim.id), f"{claim.id} would be called, whose address asked for none"
        assert not self.is_forgotten(claim.id), f"{claim.id} would be called, whose customer was forgotten"
        held = self._held_until.get(claim.id, 0)
        assert held <= self._virtual(claim.now), f"{claim.id} was claimed while another worker held it"
        self._held_until[claim.id] = self._virtual(claim.now) + LEASE_MS
        self.claims.append(claim)
        self._called(str(self.redis.hget(f"{P}record:{claim.id}", "gate")), claim.now)

    def settle(self, claim: Claim, step: dict[str, Any]) -> tuple[str, bool]:
        record = self.redis.hmget(f"{P}record:{claim.id}", "state", "settled")
        was, settled = cast(list[str | None], record)
        state, applied = self.ledger.settle(claim.id, claim.token, step)
        if applied:
            again = step["state"] == "queued" and self.is_forgotten(claim.id)
            told = "cancelled" if again else step["state"]
            # Who settles a second time hears what it came to.
            assert state == (was if settled == claim.token and was not in UNFINISHED else told)
            self._held_until.pop(claim.id, None)
        return state, applied

    def spend(self, gate: str, name: str, owed_ms: int) -> int:
        wait = self.ledger.spend(gate, name, owed_ms)
        if wait == 0:
            newest = cast(Scored, self.redis.zrange(f"{P}passed:{gate}", -1, -1, withscores=True))
            self._called(gate, int(newest[0][1]) if newest else self.ledger.now())
        return wait

    def erase(self, invitation: str, not_after: int) -> None:
        record = self.seen.records.get(invitation, {"account": ACCOUNTS[0], "state": "accepted"})
        shelf = self.seen.accounts[record["account"]].shelves.get(record["state"], {})
        gone = self.ledger.erase(invitation, record["account"], record["state"], not_after)
        assert gone is (invitation in shelf and shelf[invitation] <= not_after)
        if gone:
            self.ids.remove(invitation)
            self._histories.pop(invitation)

    def is_suppressed(self, invitation: str) -> bool:
        """Whether its address is on a list that holds for it."""
        record = self.redis.hmget(f"{P}record:{invitation}", "account", "who")
        account, who = cast(list[str | None], record)
        return bool(who) and any(self.opt_outs.since([str(who)], name)[0] for name in (None, account))

    def is_forgotten(self, invitation: str) -> bool:
        return bool(self.redis.hexists(f"{P}record:{invitation}", "forgotten_at"))

    def forget(self, invitation: str) -> None:
        """It keeps its history, without the reasons."""
        self.check()
        record = self.seen.records.get(invitation)
        was = (record["account"], record["state"]) if record and "forgotten_at" not in record else None
        assert self.ledger.forget(invitation) == was
        for change in self._histories[invitation] if was else ():
            change["reason"] = ""

    def end_lease(self, name: str, invitation: str) -> None:
        """As if the lease of the invitation had ended, and time had come to look."""
        self.redis.zadd(f"{P}inflight:{name}", {invitation: self.seen.now - 1})
        self.redis.zadd(f"{P}ready", {self.seen.stands[name]: self.seen.now - 1}, lt=True)
        self._held_until.pop(invitation, None)
        if not self.seen.bell:
            self._first_look = self._look().first_look

    def pass_time(self, ms: int) -> None:
        pass_time(self.redis, ms)
        self._passed_ms += ms
        if self._first_look is not None:
            self._first_look -= ms

    def check(self) -> None:
        """Everything that holds between two steps."""
        self.seen = seen = self._look()
        assert [view.fields["lesson_fault"] for view in seen.gates.values() if "lesson_fault" in view.fields] == []
        check_places(seen)
        check_turns(seen)
        check_clocks(seen)
        check_bell(seen, self._first_look)
        self._check_limits(seen)
        self._check_events(seen)

    def drain(self) -> None:
        """Follows the pacer's clock, while the provider accepts everything, until nothing more is to come."""
        self.check()
        most = 60 + 20 * len(self.ids)
        for _ in range(most):
            admitted = self.admit(50)
            for invitation in admitted:
                claim = self.claim(invitation)
                if isinstance(claim, Claim):
                    self.settle(claim, {"state": "accepted", "reason": "", "answer": "ok", "jitter": 0})
            self.check()
            if not admitted:
                if self.wait_ms is None:
                    return
                self.pass_time(self.wait_ms + 1)
        raise AssertionError(f"after {most} turns there is still something to wait for: {self.waiting()}")

    def waiting(self) -> dict[str, list[str]]:
        """What is not finished, of the accounts that have any."""
        found: dict[str, list[str]] = defaultdict(list)
        for invitation, record in self._look().records.items():
            if record["state"] in UNFINISHED:
                found[record["account"]].append(invitation)
        return dict(found)

    def _look(self) -> Snapshot:
        return take_snapshot(self.redis, ACCOUNTS, GATES)

    def _virtual(self, at: int) -> int:
        return at + self._passed_ms

    def _called(self, gate: str, at: int) -> None:
        self._calls[gate].append(self._virtual(at))

    def _check_limits(self, seen: Snapshot) -> None:
        """No more calls began than the limit allows in any window in which it stayed the same."""
        for name, gate in seen.gates.items():
            limit, calls = limit_that_holds(gate), self._calls[name]
            if limit is None or limit != self._limits.get(name):
                calls.clear()
            elif len(calls) > limit[0]:
                window = calls[-1] - calls[-1 - limit[0]]
                assert window > limit[1], f"{limit[0] + 1} calls of {name} within {window} ms against {limit}"
            self._limits[name] = limit

    def _check_events(self, seen: Snapshot) -> None:
        start = "-" if self._last_event == "-" else f"({self._last_event}"
        for entry, event in cast(list[tuple[str, dict[str, str]]], self.redis.xrange(f"{P}events", start)):
            self._last_event = entry
            if event["id"] in self.ids:
                self._histories[event["id"]].append({name: event[name] for name in ("at", "state", "reason")})
        for invitation, record in seen.records.items():
            history = [json.loads(line) for line in record.get("history", "").split("\n") if line]
            told = self._histories[invitation]
            # Times in the history stand as they were written, whatever passed since; but the first is when the record
            # was made, and a record that was only accepted needs no history to say so.
            first = history[0] if history else {"state": "queued", "reason": ""}
            assert [{**first, "at": told[0]["at"]}, *history[1:]] == told
            assert told[-1]["state"] == record["state"]


def can_call(seen: Snapshot, name: str) -> bool:
    """Whether the account's gate is configured and no person paused it."""
    gate = seen.gates[seen.stands[name]] if name in seen.stands else None
    return gate is not None and at_once(gate) > 0 and seen.accounts[name].pause.get("by") != "person"
