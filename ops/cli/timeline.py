"""What happened to one invitation, in words: from the changes that its record keeps, and from nothing else."""

from collections.abc import Iterator

from ops.cli.output import moment, span
from ops.cli.pulse import RATE_LIMITED
from worker.records import Change, Record

REPLAYED = "replayed"
LATE_MS = 1_000
ENDS = {
    "accepted": "accepted by the provider",
    "sent": "the provider says that it went out",
    "duplicate": "the provider had already invited this customer",
    "rejected": "rejected: the provider will never take it",
    "failed": "failed: attempts or time ran out",
    "refused": "refused: the job was not valid",
    "suppressed": "suppressed: no invitation is wanted there",
    "cancelled": "cancelled",
}


def timeline(record: Record) -> Iterator[tuple[int, str]]:
    """Each change with its time (ms). How long it waited is the time between two of them."""
    before: Change | None = None
    calls = 0
    if record.history[0].at > record.created_at:
        yield record.created_at, "came in; what happened then is no longer kept"
        before = Change(record.created_at, "", "")
    for change in record.history:
        if change.state == "queued":
            calls = 0 if change.reason == REPLAYED else calls
            yield change.at, _waits(record, change, before)
        elif change.state == "delivering":
            calls += 1
            yield change.at, _called(change, before, calls)
        else:
            yield change.at, _ended(record, change, calls)
        before = change


def next_step(record: Record, now: int) -> str:
    """What comes next of one that waits at `now` (ms); empty where nothing does."""
    if record.state != "queued" or record.due_at is None:
        return ""
    left = record.due_at - now
    return f"due in {span(left)}" if left > 0 else f"due for {span(-left)}: waits for its turn"


def _waits(record: Record, change: Change, before: Change | None) -> str:
    reason = change.reason
    if before is None:
        replayed = any(one.reason == REPLAYED for one in record.history)
        due = record.first_due_at
        later = due is not None and not replayed and due - change.at > LATE_MS
        return f"came in, due {moment(due)}" if later else "came in"
    if reason == REPLAYED:
        return "lined up afresh by a person (replayed)"
    if not reason:
        return "back in line"
    what = "rate limited, which costs no attempt" if reason.startswith(RATE_LIMITED) else "back in line"
    return f"{what}: {reason}"


def _called(change: Change, before: Change | None, calls: int) -> str:
    if before is None or before.state != "queued" or calls == 1:
        return "a worker calls the provider"
    return f"tried again after {span(change.at - before.at)}"


def _ended(record: Record, change: Change, calls: int) -> str:
    told = ENDS.get(change.state, change.state)
    if change.state == "accepted":
        told += f" after {calls} calls" if calls > 1 else ""
        due = record.first_due_at
        late = change.at - due if due is not None else 0
        told += f", {span(late)} after it was due" if late >= LATE_MS else ""
    # The faults of a refused job are shown beside it, one by one.
    return f"{told}: {change.reason}" if change.reason and not record.faults else told
