"""`invitations show`: one invitation and its time line."""

import json
from typing import Annotated, Any

import typer

from config.settings import settings
from ops.cli.errors import Failure
from ops.cli.options import AsJson
from ops.cli.output import cell, clean, iso, moment, print_json, print_table, table
from worker.connection import redis
from worker.records import Record, Records
from worker.vault import Vault

WORDS = {
    "queued": "waits in the line of its account",
    "delivering": "a worker calls the provider",
    "accepted": "the provider took it",
    "sent": "the provider says that it went out",
    "duplicate": "the provider had already invited this customer",
    "rejected": "the provider will never take it",
    "failed": "attempts or time ran out",
    "refused": "the job was not valid",
    "suppressed": "the customer wants no invitation",
    "cancelled": "a person cancelled it",
}

Id = Annotated[str, typer.Argument(help="The invitation's id, as send prints it.", metavar="ID")]
TheJob = Annotated[bool, typer.Option("--job", help="Print the job itself, with its personal data, as JSON.")]


def show(invitation: Id, *, job: TheJob = False, as_json: AsJson = False) -> None:
    """Show one invitation: its state, why, and what happened to it.

    With --job, the job as it came: mend one that was refused, and send it again.

    \b
    Example:
      invitations show 3f8e1c0b9d2a47f6a1b2c3d4e5f60718
      invitations show 3f8e1c0b9d2a47f6a1b2c3d4e5f60718 --job > job.json
    """
    record = Records(redis()).get(invitation)
    if record is None:
        raise Failure(f"No invitation has the id {clean(invitation)}; `invitations list` shows some.")
    if job:
        _print_job(record)
    elif as_json:
        print_json(record_json(record))
    else:
        _print(record)


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
        ("reason", record.reason),
        ("attempts", record.attempts),
        ("rate limited", record.throttled and f"{record.throttled} times"),
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
    line = table("when", "state", "", "reason")
    for change in record.history:
        line.add_row(moment(change.at), cell(change.state), WORDS.get(change.state, ""), cell(change.reason))
    print_table(line)
