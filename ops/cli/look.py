"""How the accounts stand, for a person at a terminal: drawn from a snapshot, in whatever width there is."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ops.cli.output import UNKNOWN_LIMIT, cell, clean, span, styled, when
from ops.cli.pulse import Event
from worker.overview import FINISHED, AccountView

COLUMNS = ("account", "provider", "gate", "waiting", "delivering", "per min", "429s", "limit", "done")
NUMBERS = ("waiting", "delivering", "per min", "429s")
LEFT_OUT = ((), ("done",), ("done", "provider"), ("done", "provider", "limit"))
"""What the table does without, the wider the terminal the less."""
GAP = 2
LEAST_ROWS = 3
OTHER_LINES = 7
"""The summary, two blank lines, the heading and its rule, what is left out, and the cursor's."""


@dataclass(frozen=True, slots=True)
class Look:
    """How everything stands at `now` (ms). `homeless`: how many were refused without a known account."""

    now: int
    views: Mapping[str, AccountView]
    accepted_a_minute: Mapping[str, int] = field(default_factory=dict)
    rate_limited: Mapping[str, int] = field(default_factory=dict)
    failures: Sequence[Event] = ()
    homeless: int = 0


def summary(look: Look) -> Text:
    """Everything in one line: 3 accounts: 2 open, 1 paused; 120 waiting; oldest due 4 min."""
    views = look.views.values()
    gates = Counter(view.gate for view in views)
    told = Text(f"{len(views)} account{'s' if len(views) != 1 else ''}: ")
    for place, gate in enumerate(one for one in ("open", "closed", "paused") if gates[one]):
        told.append(", " if place else "").append(f"{gates[gate]} {gate}", styled(gate))
    told.append(f"; {sum(view.waiting for view in views)} waiting")
    oldest = max((view.oldest_due_ms for view in views), default=0)
    return told.append(f"; oldest due {span(oldest)}" if oldest else "; none is late")


def drawn(look: Look, width: int, height: int | None = None) -> RenderableType:
    """The whole of it in `width` characters; in `height` lines, accounts at rest are left out first."""
    below = [*_notes(look), *_failures(look, width)]
    names = list(look.views)
    room = len(names)
    if height is not None:
        taken = sum(-(-max(1, cell_len(line.plain)) // width) for line in below)
        room = max(LEAST_ROWS, height - taken - OTHER_LINES)
    if room < len(names):
        busiest = sorted(names, key=lambda name: _unrest(look.views[name]), reverse=True)[:room]
        left = len(names) - room
        below.insert(0, Text(f"and {left} more accounts: `invitations status` shows all", style="dim"))
        names = [name for name in names if name in set(busiest)]
    return Group(summary(look), Text(), _fitting(look, names, width), Text(), *below)


def _unrest(view: AccountView) -> tuple[bool, int]:
    return view.gate != "open", view.waiting + view.delivering


def _fitting(look: Look, names: Sequence[str], width: int) -> Table:
    for without in LEFT_OUT:
        made, wide = _table(look, names, without)
        if wide <= width:
            break
    return made


def _table(look: Look, names: Sequence[str], without: Sequence[str]) -> tuple[Table, int]:
    """The table, and how wide it is."""
    columns = [column for column in COLUMNS if column not in without]
    rows = [_row(look, name) for name in names]
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column in columns:
        justify: Literal["right", "left"] = "right" if column in NUMBERS else "left"
        made.add_column(column, justify=justify, overflow="fold", no_wrap=column != "account")
    for row in rows:
        made.add_row(*(row[column] for column in columns))
    widest = (max(cell_len(column), *(cell_len(row[column].plain) for row in rows)) for column in columns)
    return made, sum(widest) + GAP * len(columns)


def _row(look: Look, name: str) -> dict[str, Text]:
    view = look.views[name]
    refused = look.rate_limited.get(name, 0)
    return {
        "account": cell(name),
        "provider": cell(view.provider),
        "gate": Text(_gate(view, look.now), styled(view.gate)),
        "waiting": _count(view.waiting),
        "delivering": _count(view.delivering, styled("delivering")),
        "per min": _count(look.accepted_a_minute.get(name, 0)),
        "429s": _count(refused, styled("closed")),
        "limit": Text(view.limit or UNKNOWN_LIMIT, "" if view.limit else "dim"),
        "done": _done(view.states),
    }


def _count(number: int, style: str = "") -> Text:
    return Text(str(number), style) if number else Text("0", "dim")


def _done(states: Mapping[str, int]) -> Text:
    told = Text()
    for state in FINISHED:
        if states[state]:
            told.append(", " if told else "").append(f"{states[state]} {state}", styled(state))
    return told


def _gate(view: AccountView, now: int) -> str:
    if view.gate == "closed" and view.gate_until is not None:
        return f"closed {_left(view.gate_until - now)}"
    return view.gate


def _left(ms: int) -> str:
    """Never 0: what is shut is shut."""
    return span(max(1_000, ms))


def _notes(look: Look) -> Iterator[Text]:
    """Why gates are not open, and what was done in all."""
    for name, view in look.views.items():
        if view.gate == "open":
            continue
        told = Text().append(clean(name), "bold").append(f" {view.gate}", styled(view.gate))
        if view.gate_reason:
            told.append(f": {clean(view.gate_reason)}")
        if view.gate == "paused" and view.gate_until is not None:
            told.append(f"; tried again in {_left(view.gate_until - look.now)}")
        yield told
    done = _done({state: sum(view.states[state] for view in look.views.values()) for state in FINISHED})
    if done:
        yield Text("In all: ").append_text(done)
    if look.homeless:
        where = "`invitations list --account - --state refused`"
        yield Text(f"Refused without a known account: {look.homeless}; {where}")


def _failures(look: Look, width: int) -> Iterator[Text]:
    """The last failures, a line of what and a line of the id each where one is too short for both."""
    if not look.failures:
        return
    yield Text()
    yield Text("Last failures", "bold")
    for event in look.failures:
        state = "to be tried again" if event.state == "queued" else event.state
        told = Text(f"{when(event.at, look.now):<12}").append(f"{clean(event.account)} ").append(state, styled(state))
        told.append(f": {clean(event.reason)}" if event.reason else "")
        if cell_len(told.plain) + cell_len(event.id) + GAP <= width:
            yield told.append(f"  {event.id}", "dim")
        else:
            told.truncate(width, overflow="ellipsis")
            yield told
            yield Text(" " * 12).append(event.id, "dim")
