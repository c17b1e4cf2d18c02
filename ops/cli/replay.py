"""`invitations replay`: rejected and failed invitations start afresh."""

from itertools import chain
from typing import Annotated, Literal

import typer

from ops.cli.bulk import move, report
from ops.cli.moment import MOMENT_HELP, moment_ms
from ops.cli.options import AsJson, Yes, accounts_completed, confirmed, known_account
from worker.connection import redis
from worker.ledger import ledger
from worker.records import Records

REPLAYABLE: tuple[Literal["rejected", "failed"], ...] = ("rejected", "failed")

CANCELLED = (
    "What was cancelled stays so. To send it after all: `invitations show ID --job > job.json`, add an idempotency_key"
    " of its own, and `invitations send job.json`."
)

Ids = Annotated[list[str] | None, typer.Argument(help="Invitations.", metavar="ID")]
Account = Annotated[
    str | None, typer.Option(help="All of this account; in a script with --yes.", autocompletion=accounts_completed)
]
InState = Annotated[
    Literal["rejected", "failed"] | None, typer.Option(help="All in this state; in a script with --yes.")
]
Since = Annotated[
    str | None, typer.Option(help=f"All that came to their state then or later: {MOMENT_HELP}.", metavar="TIME")
]
Before = Annotated[
    str | None, typer.Option("--before", "--until", help="All that came to their state before then.", metavar="TIME")
]


def replay(  # noqa: PLR0913
    ids: Ids = None,
    *,
    account: Account = None,
    state: InState = None,
    since: Since = None,
    before: Before = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Line up rejected and failed invitations afresh: some by id, or all of an account, a state or a time.

    Their attempts count from nothing and they have their whole time again; their history stays.

    \b
    Example:
      invitations replay 3f8e1c0b9d2a47f6a1b2c3d4e5f60718
      invitations replay --account shop_nl --state failed --since 3h --yes
    """
    if bool(ids) == bool(account or state or since or before):
        raise typer.BadParameter("expected either ids, or any of --account, --state, --since and --before")
    chosen = ids or _all(account, state, since, before)
    if not ids and not confirmed("replay", len(chosen), yes):
        raise typer.Abort
    moved = move(chosen, ledger().replay)
    if ids and "cancelled" in moved.unchanged.values():
        typer.echo(CANCELLED, err=True)
    report("replayed", moved, named=bool(ids), as_json=as_json)


def _all(account: str | None, state: str | None, since: str | None, before: str | None) -> list[str]:
    records = Records(redis())
    known = records.accounts()
    names = [known_account(account, also=tuple(known))] if account else known
    states = (state,) if state else REPLAYABLE
    now = ledger().now()
    first = moment_ms(since, now, param="--since") if since else None
    last = moment_ms(before, now, param="--before") if before else None
    return list(chain.from_iterable(records.ended(name, each, first, last) for name in names for each in states))
