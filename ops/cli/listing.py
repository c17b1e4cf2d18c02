"""`invitations list`: the invitations that changed last."""

import sys
from typing import Annotated, get_args

import typer

from ops.cli.moment import MOMENT_HELP, moment_ms
from ops.cli.options import AsJson, State, accounts_completed, known_account, states_completed
from ops.cli.output import cell, iso, print_json, print_rows, print_table, table, when
from ops.cli.show import summary_json
from worker.connection import redis
from worker.ledger import ledger
from worker.records import STATES, Query, Record, Records

Account = Annotated[
    str | None,
    typer.Option(help="Only of this account; - for jobs of no known account.", autocompletion=accounts_completed),
]
STATES_THERE_ARE = f"Only in this state: {', '.join(get_args(State))}."
InState = Annotated[State | None, typer.Option(help=STATES_THERE_ARE, metavar="STATE", autocompletion=states_completed)]
Order = Annotated[str | None, typer.Option(help="Only of this order number.")]
Since = Annotated[str | None, typer.Option(help=f"Only what changed then or later: {MOMENT_HELP}.", metavar="TIME")]
Until = Annotated[
    str | None, typer.Option("--until", "--before", help="Only what changed before then.", metavar="TIME")
]
Reason = Annotated[str | None, typer.Option(help="Only where the reason has this in it, in any case.", metavar="TEXT")]
Limit = Annotated[int, typer.Option(help="How many at most.", min=1, max=10_000)]
After = Annotated[
    str | None, typer.Option(help="The next page: what comes behind this `cursor`, of --json.", metavar="CURSOR")
]


def list_invitations(  # noqa: PLR0913
    *,
    account: Account = None,
    state: InState = None,
    order: Order = None,
    since: Since = None,
    until: Until = None,
    reason: Reason = None,
    limit: Limit = 50,
    after: After = None,
    as_json: AsJson = False,
) -> None:
    """List invitations, those that changed last first. In a pipe: lines without headings, columns with tabs between.

    Of very many that wait or are accepted those that are due last are looked at; with --order or --reason all.

    \b
    Example:
      invitations list --account shop_nl --state failed
      invitations list --order 1001
      invitations list --state failed --since 3h --reason timeout | cut -f 1 | xargs invitations replay
    """
    records, now = Records(redis()), ledger().now()
    known = records.accounts()
    if account:
        known_account(account, also=(*known, "-"))
    query = Query(
        limit=limit + 1,
        since=moment_ms(since, now, param="--since") if since else None,
        until=moment_ms(until, now, param="--until") if until else None,
        after=_position(after) if after else None,
        order=order,
        reason=reason,
    )
    found = records.search([account] if account else known, [state] if state else STATES, query)
    shown = found[:limit]
    if as_json:
        print_json([_row_json(record) for record in shown])
    else:
        _print(shown, now)
    if len(found) > limit and sys.stderr.isatty():
        typer.echo(f"There are more: add --after {_cursor(shown[-1])}", err=True)


def _row_json(record: Record) -> dict[str, object]:
    return {**summary_json(record), "changed_at": iso(record.changed_at), "cursor": _cursor(record)}


def _cursor(record: Record) -> str:
    return f"{record.changed_at}-{record.id}"


def _position(cursor: str) -> tuple[int, str]:
    changed, _, invitation = cursor.partition("-")
    if not (changed.isascii() and changed.isdecimal() and invitation):
        raise typer.BadParameter("expected a cursor, as `list --json` names it", param_hint="--after")
    return int(changed), invitation


def _print(records: list[Record], now: int) -> None:
    if not records:
        typer.echo("No invitation is like that.", err=True)
    elif sys.stdout.isatty():
        made = table("id", "account", "order", "state", "changed", "due", "reason")
        for record in records:
            changed, due = when(record.changed_at, now), when(record.due_at, now)
            facts = (record.id, record.account, record.order, record.state, changed, due, record.reason)
            made.add_row(*map(cell, facts))
        print_table(made)
    else:
        print_rows(
            (one.id, one.account, one.order, one.state, iso(one.changed_at), iso(one.due_at), one.reason)
            for one in records
        )
