"""`invitations pause` and `invitations resume`: an account stops, and goes on."""

from typing import Annotated

import typer

from ops.cli.options import known_account
from worker.ledger import ledger

Account = Annotated[str, typer.Argument(help="A configured account.", metavar="ACCOUNT")]
Reason = Annotated[str, typer.Option(help="Why: status and watch show it.")]


def pause(account: Account, *, reason: Reason = "paused by hand") -> None:
    """Stop an account until it is resumed. What is being delivered ends; what waits goes on waiting.

    \b
    Example:
      invitations pause shop_nl --reason "wrong template at the provider"
    """
    ledger().pause(known_account(account, param="ACCOUNT"), reason)
    typer.echo(f"{account} is paused; `invitations resume {account}` sets it going.")


def resume(account: Account) -> None:
    """Set a paused account going, also one that waits for its provider to recover.

    A time that the provider asked to wait for (Retry-After) stays in force.

    \b
    Example:
      invitations resume shop_nl
    """
    changed = ledger().resume(known_account(account, param="ACCOUNT"))
    typer.echo(f"{account} goes on." if changed else f"{account} was not paused.")
