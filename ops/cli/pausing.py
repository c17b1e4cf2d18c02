"""`invitations pause` and `invitations resume`: an account stops, and goes on."""

from typing import Annotated, cast

import typer

from ops.cli.options import accounts_completed, known_account
from ops.cli.output import clean
from worker.ledger import ledger

Accounts = Annotated[
    list[str], typer.Argument(help="Configured accounts.", metavar="ACCOUNT", autocompletion=accounts_completed)
]
Reason = Annotated[str | None, typer.Option(help="Why: status and watch show it.", show_default="paused by hand")]
BY_HAND = "paused by hand"


def pause(accounts: Accounts, *, reason: Reason = None) -> None:
    """Stop an account, or several, until resumed. What is being delivered ends; what waits goes on waiting.

    An account that a person paused already keeps its reason, unless another is given.

    \b
    Example:
      invitations pause shop_nl --reason "wrong template at the provider"
    """
    for account in [known_account(name, param="ACCOUNT") for name in accounts]:
        before = _pause(account)
        if before.get("by") == "person" and reason is None:
            typer.echo(f"{account} is paused already: {clean(before['reason'])}")
            continue
        ledger().pause(account, reason or BY_HAND)
        typer.echo(f"{account} is paused; `invitations resume {account}` sets it going.")


def resume(accounts: Accounts) -> None:
    """Set a paused account going, or several, also one that waits for its provider to recover.

    A time that the provider asked to wait for (Retry-After) stays in force. Workers read accounts and
    secrets when they start: after a change to one, restart them first.

    \b
    Example:
      invitations resume shop_nl
    """
    by_provider = False
    for account in [known_account(name, param="ACCOUNT") for name in accounts]:
        by_provider |= _pause(account).get("by") == "provider"
        changed = ledger().resume(account)
        typer.echo(f"{account} goes on." if changed else f"{account} was not paused.")
    if by_provider:
        typer.echo("Workers read accounts and secrets when they start; if you changed one, restart them, then resume.")


def _pause(account: str) -> dict[str, str]:
    return cast(dict[str, str], ledger().redis.hgetall(f"invitations:pause:{account}"))
