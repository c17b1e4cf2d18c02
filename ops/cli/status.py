"""`invitations status`: how every account stands."""

from typing import Any

import typer
from rich.table import Table

from config.accounts_file import accounts
from ops.cli.look import Look, drawn
from ops.cli.options import AsJson
from ops.cli.output import UNKNOWN_LIMIT, cell, console, iso, print_json, print_table, span, table
from ops.cli.pulse import Pulse
from worker.ledger import NO_ACCOUNT, ledger
from worker.overview import AccountView, overview
from worker.records import Records

OWN_COLUMNS = ("queued", "delivering")


def status(*, as_json: AsJson = False) -> None:
    """Show every account: its gate, what waits, what is delivered now, and what became of the rest.

    On a terminal a summary comes first, and the last failures come last. "per min" is how many its provider took in
    the last minute, "429s" how many calls it refused for its limit meanwhile. In a pipe it is a plain table.

    \b
    Example:
      invitations status
      invitations status --json
    """
    out = console()
    if out.is_terminal and not as_json:
        out.print(drawn(looked(Pulse(ledger().redis)), out.width))
        return
    views = overview(ledger(), accounts().values())
    homeless = _homeless()
    if as_json:
        told = {name: view_json(view) for name, view in views.items()}
        print_json({"accounts": told, "refused_unknown_account": homeless})
        return
    print_table(status_table(views, ledger().now()))
    if homeless:
        typer.echo(f"Refused without a known account: {homeless}; `invitations list --account - --state refused`")


def looked(pulse: Pulse) -> Look:
    """How everything stands now. Raises redis.RedisError where Redis is away."""
    views = overview(ledger(), accounts().values())
    now = ledger().now()
    pulse.look(now, list(views))
    return Look(now, views, pulse.accepted_a_minute(now), pulse.rate_limited(), pulse.failures(), _homeless())


def _homeless() -> int:
    return Records(ledger().redis).count(NO_ACCOUNT, "refused")


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


def status_table(views: dict[str, AccountView], now: int) -> Table:
    """A line for each account, for a pipe; of the final states those that occur. `now` in ms."""
    states = [
        state
        for state in next(iter(views.values())).states
        if state not in OWN_COLUMNS and any(view.states[state] for view in views.values())
    ]
    numbers = ("waiting", "delivering", *states)
    made = table("account", "provider", "gate", "limit", *numbers, "gate's reason", numbers=numbers)
    for name, view in views.items():
        counts = (view.waiting, view.delivering, *(view.states[state] for state in states))
        facts = (name, view.provider, view.gate, view.limit or UNKNOWN_LIMIT, *counts, _gate_reason(view, now))
        made.add_row(*map(cell, facts))
    return made


def _gate_reason(view: AccountView, now: int) -> str:
    if view.gate_until is None:
        return view.gate_reason or ""
    left = span(view.gate_until - now)
    what = "tried again in" if view.gate == "paused" else "opens in"
    return f"{view.gate_reason or ''} ({what} {left})".strip()
