"""Random interleavings of everything that can happen to a ledger, for any client of Redis."""

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from redis import Redis

from tasks.decision import History, Policy, Step, gate_lesson, next_step
from tasks.outcome import (
    Accepted,
    CredentialsRefused,
    Duplicate,
    Limits,
    Outcome,
    Rejected,
    Throttled,
    Unavailable,
    Unclear,
)
from tests.property.bench import ACCOUNTS, GROUP, Bench, can_call
from tests.property.desk import DAY_MS, LEASE_MS, LONG_MS, account
from worker.claims import Claim
from worker.entries import Entry

T = TypeVar("T")
Values = dict[str, object]
Result = tuple[Outcome, float, Limits | None]

names = st.sampled_from(ACCOUNTS)
numbers = st.integers(0, 5)
ids = st.builds("{}{}".format, names, numbers)
picks = st.integers(0, 40)
jitters = st.sampled_from([0.0, 0.5, 1.0])
delays = st.sampled_from([0, 0, 0, 5_000, DAY_MS])
opted_out = st.sampled_from([None, *ACCOUNTS])
lifetimes = st.sampled_from([LONG_MS, 3_000])
gates = st.fixed_dictionaries(
    {
        "limit": st.sampled_from([None, None, "1/minute", "2/hour", "3/second", "5/second"]),
        "burst": st.sampled_from([None, None, 1, 2]),
        "concurrency": st.sampled_from([1, 2, 5]),
    }
)
outcomes: st.SearchStrategy[Outcome] = st.sampled_from(
    [
        Accepted("ref"),
        Accepted(scheduled_in_ms=DAY_MS),
        Duplicate("known"),
        Rejected("never"),
        Throttled("slow"),
        Throttled("slow", 0),
        Throttled("slow", 30_000),
        Throttled("slow", 400_000),
        CredentialsRefused("who"),
        Unavailable("away"),
        Unavailable("away"),
        Unclear("hm"),
        Unclear("hm"),
    ]
)
headers = st.sampled_from(
    [None] * 4 + [Limits(60, 59, 60_000), Limits(3, 0, 60_000), Limits(5, None, 60_000), Limits(1, 1, 1000)]
)
results = st.tuples(outcomes, jitters, headers)
spans = st.sampled_from([1, 100, 1_006, 5_000, 15_000, LEASE_MS + 1, 900_000, 3_600_000, DAY_MS])


class LedgerMachine(RuleBasedStateMachine):
    """`client` has text answers; its database is emptied for every example."""

    client: ClassVar[Redis]

    def __init__(self) -> None:
        super().__init__()
        self.client.flushdb()
        self.bench = Bench(self.client)
        self.sound = True

    @initialize(shared=st.booleans(), one=gates, other=gates)
    def starts(self, shared: bool, one: Values, other: Values) -> None:
        self._configure({"a", "b"}, {"a", "b"} if shared else set(), one, other)

    @rule(there=st.sets(names), shared=st.sets(names), one=gates, other=gates)
    def configures(self, there: set[str], shared: set[str], one: Values, other: Values) -> None:
        self._configure(there, shared, one, other)

    def _configure(self, there: set[str], shared: set[str], one: Values, other: Values) -> None:
        self.bench.configure(
            *(
                account(name, limit_group=GROUP, **one) if name in shared else account(name, **other)
                for name in sorted(there)
            )
        )

    @rule(name=names, these=st.sets(numbers, min_size=1), delay=delays, expires=lifetimes)
    def accepts(self, name: str, these: set[int], delay: int, expires: int) -> None:
        gate = self.bench.seen.stands.get(name, name)
        self.bench.accept(
            Entry(f"{name}{one}", name, gate, "", "job", delay, expires, who=_who(one)) for one in sorted(these)
        )

    @rule(room=st.sampled_from([1, 2, 3, 20]))
    def admits(self, room: int) -> None:
        self.bench.admit(room)

    @rule(results=st.lists(results, min_size=1, max_size=4), forgotten=st.sampled_from([False, False, False, True]))
    def works(self, results: list[Result], forgotten: bool) -> None:
        """A pacer and its workers, without anything in between, but that a customer may be forgotten."""
        for invitation, result in zip(self.bench.admit(len(results)), results, strict=False):
            claim = self.bench.claim(invitation)
            if isinstance(claim, Claim):
                if forgotten:
                    self.bench.forget(invitation)
                self._settle(claim, *result)

    @rule(room=st.sampled_from([1, 2, 3, 20]), again=st.booleans(), results=st.lists(results, max_size=2))
    def takes(self, room: int, again: bool, results: list[Result]) -> None:
        """A worker, some of whose calls are answered at once."""
        for claim, result in zip(self.bench.take(room, again=again), results, strict=False):
            self._settle(claim, *result)

    @rule(pick=picks)
    def claims(self, pick: int) -> None:
        for invitation in _one_of(self.bench.messages, pick):
            self.bench.claim(invitation)

    @rule(pick=picks, result=results)
    def settles(self, pick: int, result: Result) -> None:
        for claim in _one_of(self.bench.claims, pick):
            self._settle(claim, *result)

    def _settle(self, claim: Claim, outcome: Outcome, jitter: float, said: Limits | None) -> None:
        history = History(claim.attempts, claim.unclear, claim.probe)
        step = next_step(outcome, history, Policy(3, expects_sent=True), jitter=jitter, limits=said).as_dict()
        self.bench.settle(claim, _sooner(step))

    @rule(pick=picks, wait=st.sampled_from([0, 60_000]))
    def goes_wrong(self, pick: int, wait: int) -> None:
        step = Step("queued", "internal error", counts=True, unclear=True, wait_ms=wait)
        for claim in _one_of(self.bench.claims, pick):
            self.bench.settle(claim, step.as_dict())

    @rule(name=names, owed=st.sampled_from([0, 1_800_000]))
    def spends(self, name: str, owed: int) -> None:
        self.bench.spend(self.bench.seen.stands.get(name, name), name, owed)

    @rule(name=names, outcome=outcomes, jitter=jitters, said=headers)
    def tells(self, name: str, outcome: Outcome, jitter: float, said: Limits | None) -> None:
        gate = self.bench.seen.stands.get(name, name)
        self.bench.ledger.tell(gate, name, _sooner(gate_lesson(outcome, jitter, said)))

    @rule(name=names)
    def pauses(self, name: str) -> None:
        self.bench.ledger.pause(name, "a person said so")

    @rule(name=names)
    def resumes(self, name: str) -> None:
        self.bench.ledger.resume(name)

    @rule(one=ids)
    def cancels(self, one: str) -> None:
        was = self._state(one)
        after = "cancelled" if was == "queued" else was
        assert self.bench.ledger.cancel(one, "changed their mind") == (after, was == "queued")

    @rule(one=ids)
    def replays(self, one: str) -> None:
        was, told = self._state(one), self._state(one)
        if was in ("rejected", "failed"):
            suppressed = self.bench.is_suppressed(one)
            told = "forgotten" if self.bench.is_forgotten(one) else "suppressed" if suppressed else "queued"
        assert self.bench.ledger.replay(one) == (told, told != was and told == "queued")

    @rule(number=numbers, name=opted_out)
    def opts_out(self, number: int, name: str | None) -> None:
        self.bench.opt_outs.add([_who(number)], name)

    @rule(number=numbers, name=opted_out)
    def changes_their_mind(self, number: int, name: str | None) -> None:
        self.bench.opt_outs.remove([_who(number)], name)

    @rule(pick=picks)
    def ends_suppressed(self, pick: int) -> None:
        for one in _one_of(sorted(self.bench.seen.records), pick):
            ends = self._state(one) == "queued" and self.bench.is_suppressed(one)
            assert self.bench.ledger.suppress(one, _who(int(one[-1]))) is ends

    @rule(pick=picks)
    def is_forgotten(self, pick: int) -> None:
        for one in _one_of([*sorted(self.bench.seen.records), *(claim.id for claim in self.bench.claims)], pick):
            self.bench.forget(one)

    @rule(one=ids)
    def goes_out(self, one: str) -> None:
        was = self._state(one)
        assert self.bench.ledger.sent(one, self.bench.seen.now) is (was == "accepted")

    @rule(one=ids, kept=st.sampled_from([-1_000, 1_000]))
    def erases(self, one: str, kept: int) -> None:
        self.bench.erase(one, self.bench.seen.now - kept)

    def _state(self, one: str) -> str:
        return self.bench.seen.records.get(one, {}).get("state", "unknown")

    @rule(ms=spans)
    def time_passes(self, ms: int) -> None:
        self.bench.pass_time(ms)

    @rule(name=names, pick=picks)
    def lease_ends(self, name: str, pick: int) -> None:
        for invitation in _one_of(sorted(self.bench.seen.accounts[name].inflight), pick):
            self.bench.end_lease(name, invitation)

    @invariant()
    def holds(self) -> None:
        self.sound = False
        self.bench.check()
        self.sound = True

    def teardown(self) -> None:
        """Whatever happened: left alone, all that may be called is; and resumed, the rest."""
        if not self.sound:
            return
        self.bench.drain()
        stuck = [name for name in self.bench.waiting() if can_call(self.bench.seen, name)]
        assert not stuck, f"nothing is to come, and {stuck} wait"
        self._configure(set(ACCOUNTS), set(), {}, {})
        for name in ACCOUNTS:
            self.bench.ledger.resume(name)
        self.bench.drain()
        assert self.bench.waiting() == {}


def _who(number: int) -> str:
    """Some customers have invitations of several numbers."""
    return f"who{number % 3}"


def _one_of(those: Sequence[T], pick: int) -> Sequence[T]:
    """The one that `pick` counts back to, if there is any. What is drawn must not depend on what Redis's clock did."""
    return [those[-1 - pick % len(those)]] if those else []


def _sooner(step: dict[str, object]) -> dict[str, object]:
    """Outages and wrong credentials are seen after fewer failures, or few examples would come to them."""
    fewer = {"down_after": 2, "refused_after": 1}
    return step | {name: most for name, most in fewer.items() if step.get(name)}
