"""`invitations cancel`: invitations that wait are not sent."""

from typing import Annotated

import typer

from ops.cli.bulk import move, report
from ops.cli.moment import MOMENT_HELP, moment_ms
from ops.cli.options import AsJson, Yes, accounts_completed, confirmed, known_account
from worker.connection import redis
from worker.ledger import ledger
from worker.masking import scrub
from worker.records import PAGE, Records

Ids = Annotated[list[str] | None, typer.Argument(help="Invitations.", metavar="ID")]
Account = Annotated[
    str | None,
    typer.Option(
        help="All that wait in this account's line; in a script with --yes.", autocompletion=accounts_completed
    ),
]
Since = Annotated[
    str | None, typer.Option(help=f"Of these only what came in then or later: {MOMENT_HELP}.", metavar="TIME")
]
Reason = Annotated[str, typer.Option(help="Why: it is kept with each.")]


def cancel(  # noqa: PLR0913
    ids: Ids = None,
    *,
    account: Account = None,
    since: Since = None,
    reason: Reason = "cancelled by hand",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Cancel invitations that wait: some by id, or all of an account, or what came in since a time.

    What a worker holds is not stopped.

    \b
    Example:
      invitations cancel 3f8e1c0b9d2a47f6a1b2c3d4e5f60718 --reason "order returned"
      invitations cancel --account shop_nl --since 30m --reason "wrong batch imported" --yes
    """
    if bool(ids) == bool(account):
        raise typer.BadParameter("expected either ids or --account")
    if ids and since:
        raise typer.BadParameter("expected --since with --account, not with ids")
    chosen = ids or _waiting(account or "", since)
    if not ids and not confirmed("cancel", len(chosen), yes):
        raise typer.Abort
    moved = move(chosen, lambda invitation: ledger().cancel(invitation, scrub(reason)))
    report("cancelled", moved, named=bool(ids), as_json=as_json)


def _waiting(account: str, since: str | None) -> list[str]:
    records = Records(redis())
    known_account(account, also=tuple(records.accounts()))
    first = moment_ms(since, ledger().now(), param="--since") if since else None
    # What was announced to the workers and not begun waits as well.
    waiting = [*records.ids(account, "queued"), *records.ids(account, "delivering")]
    if first is None:
        return waiting
    pages = (waiting[start : start + PAGE] for start in range(0, len(waiting), PAGE))
    return [record.id for page in pages for record in records.many(page) if record.created_at >= first]
