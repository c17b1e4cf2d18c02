"""What the scripts promise, said a second time and without them: limits, and by when a gate is looked at."""

import sys
from math import ceil, inf

from tests.property.snapshot import AccountView, GateView, Snapshot

# See worker/lua/limits.lua: a slot is free again so long after its window.
GUARD_MS = 5
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
    count, period = min(known, key=lambda pair: pair[0] / pair[1])
    burst = int(gate.fields.get("burst", 0))
    return (burst, ceil(period * burst / count)) if 0 < burst < count else (count, period)


def at_once(gate: GateView) -> int:
    """How many calls may run: one while an outage is probed, none before the gate is configured."""
    return min(int(gate.fields.get("concurrency", 0)), 1 if "probing" in gate.fields else sys.maxsize)


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
    paced_until = _paced_until(gate)
    limit = limit_in_force(gate)
    if limit is None:
        return paced_until
    owed_until = int(gate.fields.get("owed_until", 0))
    return max(paced_until, _free_at(gate, limit, 1), min(owed_until, _free_at(gate, limit, 2)))


def _paced_until(gate: GateView) -> float:
    """Where the provider says that nothing is left, calls keep such a distance that a window's would fit."""
    if int(gate.fields.get("left", 1)) > 0:
        return -inf
    distance = ceil(int(gate.fields["said_period"]) / int(gate.fields["said_count"]))
    return int(gate.fields.get("passed_at", 0)) + distance


def _free_at(gate: GateView, limit: tuple[int, int], places: int) -> float:
    count, period = limit
    if places > count:
        return inf
    over = len(gate.passed) - (count - places)
    return -inf if over <= 0 else gate.passed[over - 1] + period + GUARD_MS
