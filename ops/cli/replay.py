"""`invitations replay`: rejected and failed invitations start afresh."""

from itertools import chain
from typing import Annotated, Literal

import typer

from ops.cli.bulk import move, report
from ops.cli.options import AsJson, Yes, confirmed, known_account
from worker.connection import redis
from worker.ledger import ledger
from worker.records import Records

REPLAYABLE: tuple[Literal["rejected", "failed"], ...] = ("rejected", "failed")

Ids = Annotated[list[str] | None, typer.Argument(help="Invitations.", metavar="ID")]
Account = Annotated[str | None, typer.Option(help="All of this account; in a script with --yes.")]
InState = Annotated[
    Literal["rejected", "failed"] | None, typer.Option(help="All in this state; in a script with --yes.")
]


def replay(
    ids: Ids = None,
    *,
    account: Account = None,
    state: InState = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Line up rejected and failed invitations afresh: some by id, or all of an account or a state.

    \b
    Example:
      invitations replay 3f8e1c0b9d2a47f6a1b2c3d4e5f60718
      invitations replay --account shop_nl --state failed --yes
    """
    if bool(ids) == bool(account or state):
        raise typer.BadParameter("expected either ids, or --account, --state or both")
    chosen = ids or _all(account, state)
    if not ids and not confirmed("replay", len(chosen), yes):
        raise typer.Abort
    report("replayed", move(chosen, ledger().replay), named=bool(ids), as_json=as_json)


def _all(account: str | None, state: str | None) -> list[str]:
    records = Records(redis())
    known = records.accounts()
    names = [known_account(account, also=tuple(known))] if account else known
    states = (state,) if state else REPLAYABLE
    return list(chain.from_iterable(records.ids(name, each) for name in names for each in states))
