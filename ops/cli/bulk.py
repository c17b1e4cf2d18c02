"""One step for many invitations, with a progress bar and what became of them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import typer
from rich.progress import Progress, track

from ops.cli.errors import FAILED
from ops.cli.output import clean, console, print_json

Step = Callable[[str], tuple[str, bool]]
WHY_NOT = {
    "unknown": "no invitation has this id",
    "forgotten": "forgotten: its job is no longer kept",
    "suppressed": "it is suppressed: no invitation is wanted there",
}


@dataclass(slots=True)
class Moved:
    """How many invitations were changed, and the state of each that was not."""

    changed: int = 0
    unchanged: dict[str, str] = field(default_factory=dict)


def move(ids: Sequence[str], step: Step) -> Moved:
    """Applies `step` to each id. A bar on a terminal, nothing in a pipe."""
    target = console(stderr=True)
    moved = Moved()
    shown: Iterable[str] = track(ids, description="", console=target, transient=True, disable=not target.is_terminal)
    for invitation in shown:
        state, changed = step(invitation)
        if changed:
            moved.changed += 1
        else:
            moved.unchanged[invitation] = state
    return moved


@contextmanager
def advancing(total: int) -> Iterator[Callable[[int], None]]:
    """What it gives is told how many more of `total` are done. A bar on a terminal, nothing in a pipe."""
    target = console(stderr=True)
    with Progress(console=target, transient=True, disable=not target.is_terminal) as bar:
        task = bar.add_task("", total=total)
        yield lambda count: bar.advance(task, count)


def report(verb: str, moved: Moved, *, named: bool, as_json: bool) -> None:
    """Prints what became of them. Where ids were `named`, one that was not changed makes the exit code 1."""
    if as_json:
        print_json({verb: moved.changed, "unchanged": moved.unchanged})
    else:
        typer.echo(f"{moved.changed} {verb}" + (f", {len(moved.unchanged)} not" if moved.unchanged else ""))
    if not moved.unchanged:
        return
    if not named:
        for state, count in Counter(moved.unchanged.values()).most_common():
            typer.echo(f"{count} not: {WHY_NOT.get(state, f'it is {state}')}", err=True)
        return
    for invitation, state in moved.unchanged.items():
        typer.echo(f"{clean(invitation)} was not {verb}: {WHY_NOT.get(state, f'it is {state}')}", err=True)
    raise typer.Exit(FAILED)
