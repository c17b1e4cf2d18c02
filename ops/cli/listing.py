"""`invitations list`: the invitations that changed last."""

from typing import Annotated, get_args

import typer

from ops.cli.options import AsJson, State, known_account
from ops.cli.output import cell, print_json, print_table, table, when
from ops.cli.show import summary_json
from worker.connection import redis
from worker.ledger import ledger
from worker.records import STATES, Record, Records

Account = Annotated[str | None, typer.Option(help="Only of this account; - for jobs of no known account.")]
STATES_THERE_ARE = f"Only in this state: {', '.join(get_args(State))}."
InState = Annotated[State | None, typer.Option(help=STATES_THERE_ARE, metavar="STATE")]
Limit = Annotated[int, typer.Option(help="How many at most.", min=1, max=10_000)]


def list_invitations(
    *, account: Account = None, state: InState = None, limit: Limit = 50, as_json: AsJson = False
) -> None:
    """List invitations, those that changed last first.

    \b
    Example:
      invitations list --account shop_nl --state failed
    """
    records = Records(redis())
    known = records.accounts()
    if account:
        known_account(account, also=(*known, "-"))
    found = records.latest([account] if account else known, [state] if state else STATES, limit)
    if as_json:
        print_json([summary_json(record) for record in found])
    else:
        _print(found)


def _print(records: list[Record]) -> None:
    now = ledger().now()
    made = table("id", "account", "order", "state", "changed", "due", "reason")
    for record in records:
        made.add_row(
            record.id,
            cell(record.account),
            cell(record.order),
            cell(record.state),
            when(record.changed_at, now),
            when(record.due_at, now),
            cell(record.reason),
        )
    if records:
        print_table(made)
    else:
        typer.echo("No invitation is like that.", err=True)
