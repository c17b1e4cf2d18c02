"""`invitations show`: one invitation and its time line."""

import json
import re
import shlex
import sys
from typing import Annotated, Any

import typer
from rich.text import Text

from config.accounts import BaseAccount
from config.accounts_file import accounts
from config.settings import settings
from ops.cli.errors import Failure
from ops.cli.options import AsJson
from ops.cli.output import cell, clean, iso, moment, print_json, print_table, span, table
from ops.cli.timeline import next_step, timeline
from worker.connection import redis
from worker.ledger import ledger
from worker.overview import AccountView, overview
from worker.records import Record, Records
from worker.vault import Vault

Id = Annotated[str, typer.Argument(help="The invitation's id, as send prints it.", metavar="ID")]
TheJob = Annotated[bool, typer.Option("--job", help="Print the job itself, with its personal data, as JSON.")]


def show(invitation: Id, *, job: TheJob = False, as_json: AsJson = False) -> None:
    """Show one invitation: its state, why, and what happened to it, in UTC.

    With --job, the job as it came: mend one that was refused, and send it again.

    \b
    Example:
      invitations show 3f8e1c0b9d2a47f6a1b2c3d4e5f60718
      invitations show 3f8e1c0b9d2a47f6a1b2c3d4e5f60718 --job > job.json
    """
    record = Records(redis()).get(invitation)
    if record is None:
        raise Failure(_no_such(clean(invitation)))
    if job:
        _print_job(record)
    elif as_json:
        print_json(record_json(record))
    else:
        _print(record)


def _no_such(invitation: str) -> str:
    told = f"No invitation has the id {invitation}; `invitations list` shows some."
    is_id = re.fullmatch(r"[0-9a-f]{32}", invitation)
    return told if is_id else f"{told} Of an order: invitations list --order {shlex.quote(invitation)}"


def summary_json(record: Record) -> dict[str, Any]:
    """The record without its history. Times as ISO 8601 in UTC, None where there is none."""
    return {
        "id": record.id,
        "account": record.account,
        "order": record.order,
        "state": record.state,
        "reason": record.reason,
        "attempts": record.attempts,
        "throttled": record.throttled,
        "created_at": iso(record.created_at),
        "due_at": iso(record.due_at),
        "accepted_at": iso(record.accepted_at),
        "sends_at": iso(record.sends_at),
        "sent_at": iso(record.sent_at),
        "provider_reference": record.provider_reference,
        "forgotten_at": iso(record.forgotten_at),
    }


def record_json(record: Record) -> dict[str, Any]:
    """The whole record as `show --json` prints it: no address, no name, nothing else of the customer."""
    history = [{"at": iso(change.at), "state": change.state, "reason": change.reason} for change in record.history]
    return {**summary_json(record), "faults": list(record.faults), "history": history}


def _print_job(record: Record) -> None:
    text = Vault.of(settings()).open(record.job)
    if not text and (record.forgotten_at or record.state == "suppressed"):
        raise Failure("Its job is no longer kept: its customer was forgotten, or asked for no invitations.")
    try:
        print_json(json.loads(text))
    except (ValueError, RecursionError):
        typer.echo("It is not JSON; this is what came:", err=True)
        typer.echo("\n".join(map(clean, text.splitlines())))


def _print(record: Record) -> None:
    facts = table("", "", header=False)
    for name, value in (
        ("id", record.id),
        ("account", record.account),
        ("order", record.order),
        ("state", record.state),
        # Of a refused job it is the faults, which follow.
        ("reason", "" if record.faults else record.reason),
        ("attempts", record.attempts),
        ("rate limited", record.throttled and ("once" if record.throttled == 1 else f"{record.throttled} times")),
        ("due", moment(record.due_at)),
        ("accepted", moment(record.accepted_at)),
        ("goes out", moment(record.sends_at) if record.sent_at is None else ""),
        ("sent", moment(record.sent_at)),
        ("provider's reference", record.provider_reference),
        ("forgotten", moment(record.forgotten_at)),
        *(("fault", f"{fault['field']}: {fault['problem']}") for fault in record.faults),
    ):
        if value:
            facts.add_row(cell(name), cell(value))
    print_table(facts)
    typer.echo()
    line = table("when", "what happened")
    day = ""
    for at, words in timeline(record):
        date, _, clock = moment(at).removesuffix(" UTC").partition(" ")
        # On a terminal a day is named once; in a pipe each line stands for itself.
        shown = " " * len(date) if date == day and sys.stdout.isatty() else date
        line.add_row(Text(f"{shown} {clock}"), cell(words))
        day = date
    print_table(line)
    if coming := next_step(record, ledger().now()):
        typer.echo(f"\nIt waits: {coming}.{_gate_of(record)}")


def _gate_of(record: Record) -> str:
    account = accounts().get(record.account)
    if account is None:
        return f" Its account {clean(record.account)} is configured no longer."
    view = overview(ledger(), [account], states=())[account.name]
    if view.gate == "open":
        return _open_gate(account, view)
    until = f", until {moment(view.gate_until)}" if view.gate == "closed" else ""
    why = clean(view.gate_reason or "no reason is known")
    resume = f" When that is mended: invitations resume {account.name}." if view.gate == "paused" else ""
    return f" The gate of {account.name} is {view.gate}{until}: {why}.{resume}"


def _open_gate(account: BaseAccount, view: AccountView) -> str:
    """What an invitation that is due may wait for all the same."""
    if view.delivering >= account.concurrency:
        lease = span(settings().lease_seconds * 1_000)
        return (
            f" {view.delivering} calls of {account.name} run, and no more may at once; one of a worker that died counts"
            f" until its lease ends, {lease} at most."
        )
    if view.limit:
        return f" {view.waiting} of {account.name} wait, and its limit is {view.limit}."
    return ""
