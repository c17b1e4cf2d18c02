"""Options that several commands share."""

import sys
from typing import Annotated, Literal

import typer

from config.accounts_file import accounts
from ops.cli.output import clean

State = Literal[
    "queued",
    "delivering",
    "accepted",
    "sent",
    "duplicate",
    "rejected",
    "failed",
    "refused",
    "suppressed",
    "cancelled",
]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def known_account(name: str, *, param: str = "--account", also: tuple[str, ...] = ()) -> str:
    """The name itself, where it is configured or one of `also`.

    Raises:
        typer.BadParameter: naming the configured accounts.
    """
    if name in accounts() or name in also:
        return name
    problem = f"no account is named {clean(name)!r}; there are: {', '.join(sorted(accounts()))}"
    raise typer.BadParameter(problem, param_hint=param)


def confirmed(question: str, yes: bool) -> bool:
    """Whether to go on: asks on a terminal, unless `yes`; in a script there is nobody to ask."""
    return yes or not sys.stdin.isatty() or typer.confirm(question)
