"""`invitations status`: how every account stands."""

from typing import Any

import typer
from rich.table import Table

from config.accounts_file import accounts
from ops.cli.options import AsJson
from ops.cli.output import UNKNOWN_LIMIT, cell, console, iso, print_json, print_table, span, table, unbroken
from worker.ledger import NO_ACCOUNT, ledger
from worker.overview import AccountView, overview
from worker.records import Records

OWN_COLUMNS = ("queued", "delivering")
ROOM_FOR_ALL = 120
"""In fewer characters the provider is left out, and the final states share a column."""
DONE_WIDTH = 18


def status(*, as_json: AsJson = False) -> None:
    """Show every account: its gate, what waits, what is delivered now, and what became of the rest.

    \b
    Example:
      invitations status
      invitations status --json
    """
    views = overview(ledger(), accounts().values())
    homeless = Records(ledger().redis).count(NO_ACCOUNT, "refused")
    if as_json:
        told = {name: view_json(view) for name, view in views.items()}
        print_json({"accounts": told, "refused_unknown_account": homeless})
        return
    print_table(status_table(views, ledger().now(), console().width))
    if homeless:
        typer.echo(f"Refused without a known account: {homeless}; `invitations list --account - --state refused`")


def view_json(view: AccountView) -> dict[str, Any]:
    """One account as `status --json` prints it."""
    return {
        "provider": view.provider,
        "gate": view.gate,
        "gate_until": iso(view.gate_until),
        "gate_reason": view.gate_reason,
        "waiting": view.waiting,
        "delivering": view.delivering,
        "oldest_due_seconds": view.oldest_due_ms / 1000,
        "limit": view.limit,
        "states": view.states,
    }


def status_table(views: dict[str, AccountView], now: int, width: int, *, terminal: bool = False) -> Table:
    """A line for each account, in `width` characters; of the final states those that occur. `now` in ms."""
    states = [
        state
        for state in next(iter(views.values())).states
        if state not in OWN_COLUMNS and any(view.states[state] for view in views.values())
    ]
    wide = width >= ROOM_FOR_ALL
    numbers = ("waiting", "delivering", *(states if wide else ()))
    names = ("account", *["provider"] * wide, "gate", "limit", *numbers, *["done"] * (not wide), "gate's reason")
    made = table(*names, numbers=numbers, terminal=terminal)
    for column in made.columns:
        column.max_width = DONE_WIDTH if column.header == "done" else None
    for name, view in views.items():
        told = (view.limit or UNKNOWN_LIMIT, view.waiting, view.delivering)
        facts = (name, *[view.provider] * wide, view.gate, *told, *_done(view, states, wide), _gate_reason(view, now))
        made.add_row(*map(cell, facts))
    return unbroken(made)


def _done(view: AccountView, states: list[str], wide: bool) -> list[str]:
    if wide:
        return [str(view.states[state]) for state in states]
    return [", ".join(f"{view.states[state]} {state}" for state in states if view.states[state])]


def _gate_reason(view: AccountView, now: int) -> str:
    if view.gate_until is None:
        return view.gate_reason or ""
    left = span(view.gate_until - now)
    what = "tried again in" if view.gate == "paused" else "opens in"
    return f"{view.gate_reason or ''} ({what} {left})".strip()
