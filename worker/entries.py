"""What acceptance puts into the ledger, and how it is told: many in one step."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

# How much is accepted in one step.
AT_ONCE = 100
LETTERS_AT_ONCE = 256 * 1024


# Not frozen: thousands are made a second, and that would take five times as long.
@dataclass(slots=True)
class Entry:
    """What acceptance puts into the ledger. `job` is sealed; `natural` is set where the id is not the natural one;
    `who` is the digest of the address; `trace` the traceparent that it carries, or ''; `reply` names the queue and the
    task that are told of its end."""

    id: str
    account: str
    gate: str
    order: str
    job: str = field(repr=False)
    delay_ms: int = 0
    expires_after_ms: int = 0
    natural: str = ""
    who: str = ""
    trace: str = ""
    reply: str = ""


@dataclass(slots=True)
class RefusedEntry:
    """A job that is not valid, as it is kept: sealed, with its faults as JSON; `who` where it names an address."""

    id: str
    account: str
    job: str = field(repr=False)
    faults: str = "[]"
    reason: str = ""
    order: str = ""
    who: str = ""
    reply: str = ""


# The script for each, and what it is given of one.
_SCRIPTS = {
    Entry: ("accept", attrgetter(*Entry.__slots__)),
    RefusedEntry: ("refuse", attrgetter(*RefusedEntry.__slots__)),
}


class Receipt(NamedTuple):
    """What became of a job: its id, the state of its invitation, and whether this job created it."""

    id: str
    state: str
    created: bool


def in_steps(entries: Sequence[Entry | RefusedEntry]) -> Iterator[tuple[str, str]]:
    """For each step its script, and its entries as one argument: over many, redis-py takes longer than JSON does."""
    for page in _pages(entries):
        script, values = _SCRIPTS[type(page[0])]
        yield script, json.dumps([values(entry) for entry in page])


def _pages(entries: Sequence[Entry | RefusedEntry]) -> Iterator[list[Entry | RefusedEntry]]:
    """In their order, so many at once that one step takes some milliseconds; of one kind each."""
    step: list[Entry | RefusedEntry] = []
    size = 0
    for entry in entries:
        if step and (
            type(entry) is not type(step[0]) or len(step) == AT_ONCE or size + len(entry.job) > LETTERS_AT_ONCE
        ):
            yield step
            step, size = [], 0
        step.append(entry)
        size += len(entry.job)
    if step:
        yield step
