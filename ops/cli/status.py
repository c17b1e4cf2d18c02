"""`invitations status`: how every account stands."""

from typing import Any

import typer
from rich.table import Table

from config.accounts_file import accounts
from ops.cli.options import AsJson
from ops.cli.output import cell, iso, print_json, print_table, span, table
from worker.ledger import NO_ACCOUNT, ledger
from worker.overview import AccountView, overview
from worker.records import Records

OWN_COLUMNS = ("queued", "delivering")


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
    print_table(status_table(views, ledger().now()))
    if homeless:
        typer.echo(f"Refused, as no account is named like that: {homeless} (invitations list --account -)")


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


def status_table(views: dict[str, AccountView], now: int, *, terminal: bool = False) -> Table:
    """A line for each account; of the final states those that occur. `now` in ms since the epoch."""
    states = [
        state
        for state in next(iter(views.values())).states
        if state not in OWN_COLUMNS and any(view.states[state] for view in views.values())
    ]
    numbers = ("waiting", "delivering", *states)
    names = ("account", "provider", "gate", "limit", *numbers, "gate's reason")
    made = table(*names, numbers=numbers, terminal=terminal)
    for name, view in views.items():
        counts = (view.waiting, view.delivering, *(view.states[state] for state in states))
        made.add_row(
            cell(name),
            cell(view.provider),
            cell(view.gate),
            cell(view.limit or "learned"),
            *map(str, counts),
            cell(_gate_reason(view, now)),
        )
    return made


def _gate_reason(view: AccountView, now: int) -> str:
    if view.gate_until is None:
        return view.gate_reason or ""
    left = span(view.gate_until - now)
    what = "tried again in" if view.gate == "paused" else "opens in"
    return f"{view.gate_reason or ''} ({what} {left})".strip()
