"""One step for many invitations, with a progress bar and what became of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import typer
from rich.progress import track

from ops.cli.errors import FAILED
from ops.cli.output import clean, console, print_json

Step = Callable[[str], tuple[str, bool]]


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


def report(verb: str, moved: Moved, *, named: bool, as_json: bool) -> None:
    """Prints what became of them. Where ids were `named`, one that was not changed makes the exit code 1."""
    if as_json:
        print_json({verb: moved.changed, "unchanged": moved.unchanged})
    else:
        typer.echo(f"{moved.changed} {verb}" + (f", {len(moved.unchanged)} not" if moved.unchanged else ""))
    if not named or not moved.unchanged:
        return
    for invitation, state in moved.unchanged.items():
        why = "no invitation has this id" if state == "unknown" else f"it is {state}"
        typer.echo(f"{clean(invitation)} was not {verb}: {why}", err=True)
    raise typer.Exit(FAILED)
