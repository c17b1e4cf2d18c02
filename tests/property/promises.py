"""What the scripts promise, said a second time and without them: limits, and by when a gate is looked at."""

import sys
from math import ceil, inf

from tests.property.snapshot import AccountView, GateView, Snapshot

# The scripts look a millisecond after the moment at which something may pass.
SLACK_MS = 2


def limit_in_force(gate: GateView) -> tuple[int, int] | None:
    """(count, period in ms): the slowest of what is configured, said and taught, shortened by the burst."""
    known = [
        (int(gate.fields[f"{kind}count"]), int(gate.fields[f"{kind}period"]))
        for kind in ("", "said_", "taught_")
        if f"{kind}count" in gate.fields
    ]
    if not known:
        return None
    count, period = min(known, key=lambda pair: (pair[0] / pair[1], pair[0]))
    burst = int(gate.fields.get("burst", 0))
    return (burst, ceil(period * burst / count)) if 0 < burst < count else (count, period)


def limit_that_holds(gate: GateView) -> tuple[int, int] | None:
    """The limit in force, unless how long the provider means it is an assumption: a call may go to find out."""
    return None if "assumed" in gate.fields else limit_in_force(gate)


def at_once(gate: GateView) -> int:
    """How many calls may run: one while an outage is probed, few after a refusal that taught much, none before the
    gate is configured."""
    probes = 1 if "probing" in gate.fields else sys.maxsize
    careful = 1 + int(gate.fields.get("answered", 0)) // 6 if "unsure" in gate.fields else sys.maxsize
    return min(int(gate.fields.get("concurrency", 0)), probes, careful)


def look_by(snapshot: Snapshot, name: str) -> float:
    """By when the gate must be looked at (ms): a lease ends, or something of it may pass. inf: never."""
    calls = snapshot.calls(name)
    lease_ends = min(calls, default=inf)
    gate = snapshot.gates[name]
    members = [view for account, view in snapshot.accounts.items() if snapshot.stands.get(account) == name]
    due = min(map(_due, members), default=inf)
    if due == inf or len(calls) >= at_once(gate):
        return lease_ends
    closed_until = int(gate.fields.get("closed_until", 0))
    return min(lease_ends, max(due, closed_until, _room_at(gate), snapshot.now))


def _due(account: AccountView) -> float:
    first = min(account.line.values(), default=inf)
    if not account.pause:
        return first
    return max(first, int(account.pause["probe_at"])) if "probe_at" in account.pause else inf


def _room_at(gate: GateView) -> float:
    limit = limit_in_force(gate)
    if limit is None:
        return -inf
    others, told_at = int(gate.fields.get("others", 0)), int(gate.fields.get("told_at", 0))
    forgotten_at = told_at + _kept_ms(limit)
    free_at = min(_free_at(gate, limit, 1 + others), max(forgotten_at, _free_at(gate, limit, 1)))
    owed_until = int(gate.fields.get("owed_until", 0))
    return max(free_at, min(owed_until, _free_at(gate, limit, 2)))


def _kept_ms(limit: tuple[int, int]) -> int:
    """How long a call keeps its place (worker/lua/limits.lua): its window, and what calls may be apart from how they
    left."""
    return limit[1] + min(200, max(5, min(12, ceil(limit[1] / 80)), ceil(limit[1] / 125)))


def _free_at(gate: GateView, limit: tuple[int, int], places: int) -> float:
    if places > limit[0]:
        return inf
    over = len(gate.passed) - (limit[0] - places)
    return -inf if over <= 0 else gate.passed[over - 1] + _kept_ms(limit)
