"""`invitations cancel`: invitations that wait are not sent."""

from typing import Annotated

import typer

from ops.cli.bulk import move, report
from ops.cli.options import AsJson, Yes, confirmed, known_account
from worker.connection import redis
from worker.ledger import ledger
from worker.masking import scrub
from worker.records import Records

Ids = Annotated[list[str] | None, typer.Argument(help="Invitations.", metavar="ID")]
Account = Annotated[str | None, typer.Option(help="All that wait in this account's line; in a script with --yes.")]
Reason = Annotated[str, typer.Option(help="Why: it is kept with each.")]


def cancel(
    ids: Ids = None,
    *,
    account: Account = None,
    reason: Reason = "cancelled by hand",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Cancel invitations that wait: some by id, or all of an account. What a worker holds is not stopped.

    \b
    Example:
      invitations cancel 3f8e1c0b9d2a47f6a1b2c3d4e5f60718 --reason "order returned"
      invitations cancel --account shop_nl --reason "wrong batch imported" --yes
    """
    if bool(ids) == bool(account):
        raise typer.BadParameter("expected either ids or --account")
    chosen = ids or _waiting(account or "")
    if not ids and not confirmed("cancel", len(chosen), yes):
        raise typer.Abort
    moved = move(chosen, lambda invitation: ledger().cancel(invitation, scrub(reason)))
    report("cancelled", moved, named=bool(ids), as_json=as_json)


def _waiting(account: str) -> list[str]:
    records = Records(redis())
    known_account(account, also=tuple(records.accounts()))
    # What was announced to the workers and not begun waits as well.
    return [*records.ids(account, "queued"), *records.ids(account, "delivering")]
