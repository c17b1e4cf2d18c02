"""What holds after every step of every interleaving."""

from math import inf

from tests.property.promises import SLACK_MS, at_once, limit_that_holds, look_by
from tests.property.snapshot import Snapshot
from worker.overview import FINISHED


def check_places(snapshot: Snapshot) -> None:
    """Every invitation is in exactly one place, and its state says which."""
    for invitation, record in snapshot.records.items():
        account = snapshot.accounts[record["account"]]
        places = [name for name in ("line", "inflight") if invitation in getattr(account, name)]
        places += [state for state, shelf in account.shelves.items() if invitation in shelf]
        state = record["state"]
        expected = {"queued": (["line"], ["inflight"]), "delivering": (["inflight"],)}.get(state, ([state],))
        assert places in expected, f"{invitation} is {state} and stands in {places}"
    for name, account in snapshot.accounts.items():
        shelved = [one for state in FINISHED for one in account.shelves[state]]
        there = [*account.line, *account.inflight, *shelved]
        strange = [one for one in there if snapshot.records.get(one, {}).get("account") != name]
        assert not strange, f"{name} holds {strange}, which are not its own"


def check_turns(snapshot: Snapshot) -> None:
    """Who has a line takes turns at the one gate where it stands, and nobody takes turns elsewhere."""
    for name, account in snapshot.accounts.items():
        stands = snapshot.stands.get(name)
        for gate, view in snapshot.gates.items():
            if gate != stands:
                assert name not in (*view.turns, *view.members), f"{name} moved on and is still at {gate}"
                continue
            if account.line:
                assert name in view.turns, f"{name} waits at {gate} and gets no turn"
            if account.line or account.inflight:
                assert name in view.members, f"{name} stands at {gate} and nobody counts its calls"


def check_clocks(snapshot: Snapshot) -> None:
    """A gate is looked at when one of its leases ends and as soon as something of it may pass."""
    for gate in snapshot.gates:
        by = look_by(snapshot, gate)
        looks = snapshot.ready.get(gate, inf)
        late = f"{gate} is looked at in {looks - snapshot.now} ms, and should be in {by - snapshot.now} ms"
        assert looks == by or looks <= max(by, snapshot.now) + SLACK_MS, f"{late}: {snapshot.gates[gate]}"


def check_bell(snapshot: Snapshot, first_look: int | None) -> None:
    """The bell rings exactly when something came due before `first_look`, the pacer's next look."""
    now_first = snapshot.first_look
    earlier = now_first is not None and (first_look is None or now_first < first_look)
    assert snapshot.bell == int(earlier), f"bell {snapshot.bell}, first look {first_look}, now {now_first}"


def check_admission(after: Snapshot, admitted: list[str], paused: set[str]) -> None:
    """What passed kept to concurrency and limit, was due, and is a probe where its account is paused."""
    for gate in {after.records[one]["gate"] for one in admitted}:
        view = after.gates[gate]
        assert len(after.calls(gate)) <= at_once(view), f"{len(after.calls(gate))} calls at once in {gate}"
        limit = limit_that_holds(view)
        if limit:
            inside = [at for at in view.passed if at > after.now - limit[1]]
            kept = int(view.fields.get("owed_until", 0)) > after.now
            assert len(inside) <= limit[0] - kept, f"{len(inside)} calls passed {gate} in the window of {limit}"
    for one in admitted:
        record = after.records[one]
        assert int(record["due_at"]) <= after.now, f"{one} passed before it was due"
        expected = "1" if record["account"] in paused else "0"
        assert record["probe"] == expected, f"{one} passed, and {record['account']} is paused"
