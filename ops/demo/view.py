"""The progress of the demo: a live table on a terminal, a line every few seconds in a pipe."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ops.cli.output import UNKNOWN_LIMIT, cell, span, table, unbroken
from ops.demo.snapshot import DELIVERED, Snapshot
from worker.overview import AccountView

LINE_SECONDS = 3.0
WITH_PROVIDER = 100
NUMBERS = ("waiting", "calls", "accepted", "sent", "429s")


class View(Protocol):
    """Shows one snapshot after the other."""

    def show(self, snapshot: Snapshot) -> None: ...


@contextmanager
def view(console: Console, total: int) -> Iterator[View]:
    """The view that fits where the output goes; `total` invitations are to be delivered."""
    if not console.is_terminal:
        yield Lines(console, total)
        return
    with Live(console=console, auto_refresh=False) as live:
        yield Screen(live, total)


class Screen:
    """A table of the accounts and a bar below it, redrawn in place."""

    def __init__(self, live: Live, total: int) -> None:
        self._live = live
        columns = (TextColumn("delivered"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns)
        self._task = self._bar.add_task("", total=total)

    def show(self, snapshot: Snapshot) -> None:
        self._bar.update(self._task, completed=snapshot.delivered)
        self._live.update(Group(accounts_table(snapshot, self._live.console.width), self._bar), refresh=True)


class Lines:
    """A line at every change of the whole, three seconds apart at least."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._next = 0.0

    def show(self, snapshot: Snapshot) -> None:
        if time.monotonic() < self._next and snapshot.delivered < self._total:
            return
        self._next = time.monotonic() + LINE_SECONDS
        gates = ", ".join(f"{name} {_gate(view, snapshot.now)}" for name, view in snapshot.views.items())
        self._console.print(
            f"  delivered {snapshot.delivered}/{self._total}, sent {snapshot.count('sent')},"
            f" 429s met {sum(snapshot.throttled.values())}; gates: {gates}"
        )


def accounts_table(snapshot: Snapshot, width: int) -> Table:
    """A line for each account, in `width` characters."""
    wide = width >= WITH_PROVIDER
    made = table("account", *["provider"] * wide, "gate", *NUMBERS, "limit", numbers=NUMBERS, terminal=True)
    for column in made.columns:
        column.no_wrap = column.header == "gate"
    for name, account in snapshot.views.items():
        accepted = sum(account.states[state] for state in DELIVERED)
        numbers = (
            account.waiting,
            account.delivering,
            accepted,
            account.states["sent"],
            snapshot.throttled[name],
        )
        texts = (
            name,
            *[account.provider] * wide,
            _gate(account, snapshot.now),
            *numbers,
            account.limit or UNKNOWN_LIMIT,
        )
        made.add_row(*map(cell, texts))
    return unbroken(made)


def _gate(account: AccountView, now: int) -> str:
    if account.gate_until is None:
        return account.gate
    return f"{account.gate} {span(account.gate_until - now)}"
