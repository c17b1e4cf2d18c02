"""Workers, pacers and a provider in virtual time, around the ledger's own scripts.

A pacer here turns and sleeps as worker/pacer.py does, a worker claims and settles as tasks/deliver.py does; what the
machine and the network take is drawn from a seeded source. Times in milliseconds since the run began.
"""

import heapq
import math
from collections.abc import Callable
from functools import partial
from itertools import count
from random import Random

from redis import Redis

from config.accounts import WemasyAccount
from ops.simulator.limits import new_window, parse_rate
from tasks.decision import History, Policy, next_step
from tasks.outcome import Accepted, Limits, Outcome, Throttled
from tests.gate.clock import Clock, TimedLedger
from tests.gate.scenario import Figures, Scenario
from worker.claims import Claim
from worker.entries import Entry
from worker.pacer import LONGEST_SLEEP_SECONDS

THREADS = 20
LEASE_MS = 60_000
NAME = "a"
LONG_MS = 10**10
# Whatever goes wrong, a run ends: at so many floors.
GIVE_UP = 5


class Provider:
    """Counts calls as ops/simulator does, and says of its limit what the scenario has it say."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._rate = parse_rate(scenario.limit)
        self._window = new_window(scenario.window, self._rate)
        self._closed: list[tuple[float, float]] = []
        self.accepted = self.refused = self.inside = 0
        self.last_ms = 0.0

    def call(self, at_ms: float, claimed_ms: float | None) -> tuple[Outcome, Limits | None]:
        """One call of ours; of another client where it was never claimed."""
        allowance = self._window.take(round(at_ms * 1e6))
        if claimed_ms is None:
            return Accepted(), None
        self.inside += any(told <= claimed_ms and at_ms < ends for told, ends in self._closed)
        said = self._said(allowance.remaining)
        if allowance.wait_ns is not None:
            self.refused += 1
            return Throttled("slow down", 1000 * math.ceil(allowance.wait_ns / 1e9)), said
        self.accepted += 1
        self.last_ms = at_ms
        return Accepted(), said

    def told(self, settled_ms: float, asked_at_ms: float, retry_ms: int) -> None:
        """The refusal given at `asked_at_ms` was written down at `settled_ms`."""
        self._closed.append((settled_ms, asked_at_ms + retry_ms))

    def _said(self, remaining: int) -> Limits | None:
        match self._scenario.headers:
            case "none":
                return None
            case "window":
                return Limits(self._rate.count, remaining, 60_000)
            case "per_minute":
                return Limits(self._rate.per_minute, remaining, 60_000)


class World:
    """One run. Call `run` once."""

    def __init__(self, redis: Redis, scenario: Scenario) -> None:
        self._redis = redis
        self._scenario = scenario
        self._random = Random(scenario.seed)
        self._clock = Clock()
        self._ledger = TimedLedger(redis, self._clock)
        self._provider = Provider(scenario)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._free = [THREADS] * scenario.workers
        self._warm_ms = [scenario.cold_ms * (0.5 + 0.5 * self._random.random()) for _ in self._free]
        self._asleep: dict[int, float] = {}
        self._waiting: set[int] = set()
        self._settled = self._turns = 0

    def run(self) -> Figures:
        """Lines the invitations up and lets the workers work until every one is accepted."""
        scenario = self._scenario
        account = WemasyAccount.model_validate(
            {
                "name": NAME,
                "provider": "wemasy",
                "token": "t",
                "limit": scenario.configured,
                "concurrency": scenario.concurrency,
            }
        )
        self._ledger.configure([account])
        self._ledger.accept(
            [Entry(f"i{n}", NAME, account.gate, str(n), "job", 0, LONG_MS) for n in range(scenario.count)]
        )
        for pacer in range(scenario.workers):
            self._at(self._spread(1), partial(self._turn, pacer))
        if scenario.other_share:
            self._at(self._random.random() * self._other_ms, self._other)
        while self._events and self._settled < scenario.count and self._clock.ms < GIVE_UP * scenario.floor_ms:
            self._clock.ms, _, happen = heapq.heappop(self._events)
            happen()
        assert self._redis.hget(f"invitations:gate:{NAME}", "lesson_fault") is None
        provider = self._provider
        took = provider.last_ms if self._settled == scenario.count else math.inf
        return Figures(
            took / scenario.floor_ms,
            1000 * provider.refused / max(1, provider.accepted),
            provider.inside,
            provider.accepted,
            self._turns,
        )

    def _at(self, ms: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._events, (ms, next(self._order), happen))

    def _after(self, ms: float, happen: Callable[[], None]) -> None:
        self._at(self._clock.ms + ms, happen)

    def _spread(self, mean_ms: float) -> float:
        return self._random.expovariate(1 / mean_ms)

    def _way_ms(self) -> float:
        """From a claim to the provider, or from the provider to the settling."""
        stray = self._random.random() * self._scenario.stray_ms if self._random.random() < 0.01 else 0
        return 1 + self._spread(self._scenario.out_ms) + stray

    @property
    def _other_ms(self) -> float:
        rate = parse_rate(self._scenario.limit)
        return rate.period_ns / 1e6 / rate.count / self._scenario.other_share

    def _other(self) -> None:
        self._provider.call(self._clock.ms, None)
        self._after(self._other_ms, self._other)

    def _turn(self, pacer: int) -> None:
        if not self._free[pacer]:
            self._waiting.add(pacer)
            return
        self._turns += 1
        wait_ms, ids = self._ledger.admit(self._free[pacer], LEASE_MS)
        self._free[pacer] -= len(ids)
        claims_in = 0.5 + 0.1 * len(ids) + self._spread(0.5)
        for number, one in enumerate(ids):
            self._after(claims_in + 0.1 * number, partial(self._claim, pacer, one))
        self._answer_bell()
        if wait_ms == 0:
            self._after(claims_in + 0.3 * len(ids), partial(self._turn, pacer))
            return
        sleep_ms = LONGEST_SLEEP_SECONDS * 1000
        self._sleep(pacer, sleep_ms if wait_ms is None else min(sleep_ms, wait_ms))

    def _sleep(self, pacer: int, ms: float) -> None:
        until = self._clock.ms + max(1, ms) + self._spread(0.7)
        self._asleep[pacer] = until
        self._at(until, partial(self._wake, pacer, until))

    def _wake(self, pacer: int, until: float) -> None:
        if self._asleep.get(pacer) == until:
            del self._asleep[pacer]
            self._turn(pacer)

    def _answer_bell(self) -> None:
        """Whoever sleeps longest of the pacers hears the bell."""
        if self._asleep and self._redis.lpop("invitations:bell"):
            pacer = next(iter(self._asleep))
            del self._asleep[pacer]
            self._after(self._spread(0.7), partial(self._turn, pacer))

    def _end(self, pacer: int) -> None:
        self._free[pacer] += 1
        if pacer in self._waiting:
            self._waiting.remove(pacer)
            self._after(self._spread(0.3), partial(self._turn, pacer))

    def _claim(self, pacer: int, one: str) -> None:
        claim = self._ledger.claim(one, LEASE_MS)
        self._answer_bell()
        if not isinstance(claim, Claim):
            self._end(pacer)
            return
        claimed = self._clock.ms
        cold_ms = max(0.0, self._warm_ms[pacer] - claimed)
        self._after(cold_ms + self._way_ms(), partial(self._arrive, pacer, claim, claimed))

    def _arrive(self, pacer: int, claim: Claim, claimed: float) -> None:
        arrived = self._clock.ms
        outcome, limits = self._provider.call(arrived, claimed)
        latency = self._scenario.latency_ms * (0.9 + 0.2 * self._random.random())
        self._after(latency + self._way_ms(), partial(self._settle, pacer, claim, arrived, outcome, limits))

    def _settle(self, pacer: int, claim: Claim, arrived: float, outcome: Outcome, limits: Limits | None) -> None:
        history = History(claim.attempts, claim.unclear, claim.probe)
        step = next_step(outcome, history, Policy(10, False), jitter=self._random.random(), limits=limits)
        self._ledger.settle(claim.id, claim.token, step.as_dict())
        self._answer_bell()
        if isinstance(outcome, Throttled):
            self._provider.told(self._clock.ms, arrived, outcome.retry_after_ms or 0)
        else:
            self._settled += 1
        self._end(pacer)
