"""Everything that stands in a ledger at one moment."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

from redis import Redis

from worker.overview import FINISHED

P = "invitations:"


@dataclass(slots=True)
class GateView:
    """One gate: its hash, whose turn it is, the accounts before it, and the times of its last calls."""

    fields: dict[str, str]
    turns: list[str]
    members: set[str]
    passed: list[int]


@dataclass(slots=True)
class AccountView:
    """One account: its line (id: due), its leases (id: end), its pause, and its shelves (state: ids)."""

    line: dict[str, int]
    inflight: dict[str, int]
    pause: dict[str, str]
    shelves: dict[str, dict[str, int]]


@dataclass(slots=True)
class Snapshot:
    """`now` in milliseconds; `stands`: the gate of each account; `ready`: when each gate is looked at."""

    now: int
    bell: int
    ready: dict[str, int]
    stands: dict[str, str]
    accounts: dict[str, AccountView]
    gates: dict[str, GateView]
    records: dict[str, dict[str, str]]

    @property
    def first_look(self) -> int | None:
        return min(self.ready.values(), default=None)

    def calls(self, gate: str) -> list[int]:
        """When the lease of each call ends that holds a place in the gate."""
        members = [name for name, stands in self.stands.items() if stands == gate and name in self.accounts]
        return [end for name in members for end in self.accounts[name].inflight.values()]


def take_snapshot(redis: Redis, accounts: Iterable[str], gates: Iterable[str]) -> Snapshot:
    """What stands there of these accounts and gates, and of every invitation."""
    names = [name for name in cast(list[str], redis.keys(f"{P}*")) if name.split(":")[1] in KINDS]
    # At once: workers may be at work meanwhile.
    with redis.pipeline(transaction=True) as pipe:
        pipe.time()
        for name in names:
            KINDS[name.split(":")[1]](pipe, name)
        (seconds, micros), *answers = pipe.execute()
    found = dict(zip(names, answers, strict=True))
    return Snapshot(
        now=int(seconds) * 1000 + int(micros) // 1000,
        bell=found.get(f"{P}bell", 0),
        ready=_scores(found.get(f"{P}ready")),
        stands=found.get(f"{P}gates", {}),
        accounts={account: _account(found, account) for account in accounts},
        gates={gate: _gate(found, gate) for gate in gates},
        records={name.split(":")[2]: raw for name, raw in found.items() if name.startswith(f"{P}record:")},
    )


def _scored(pipe: Any, name: str) -> None:
    pipe.zrange(name, 0, -1, withscores=True)


def _hash(pipe: Any, name: str) -> None:
    pipe.hgetall(name)


KINDS: dict[str, Callable[[Any, str], None]] = {
    **dict.fromkeys(("ready", "line", "inflight", "state", "turns", "passed"), _scored),
    **dict.fromkeys(("gates", "gate", "pause", "record"), _hash),
    "members": lambda pipe, name: pipe.smembers(name),
    "bell": lambda pipe, name: pipe.llen(name),
}


def _account(found: dict[str, Any], account: str) -> AccountView:
    return AccountView(
        line=_scores(found.get(f"{P}line:{account}")),
        inflight=_scores(found.get(f"{P}inflight:{account}")),
        pause=found.get(f"{P}pause:{account}", {}),
        shelves={state: _scores(found.get(f"{P}state:{account}:{state}")) for state in FINISHED},
    )


def _gate(found: dict[str, Any], gate: str) -> GateView:
    return GateView(
        fields=found.get(f"{P}gate:{gate}", {}),
        turns=list(_scores(found.get(f"{P}turns:{gate}"))),
        members=set(found.get(f"{P}members:{gate}", ())),
        passed=sorted(_scores(found.get(f"{P}passed:{gate}")).values()),
    )


def _scores(answer: list[tuple[str, float]] | None) -> dict[str, int]:
    return {member: int(score) for member, score in answer or ()}
