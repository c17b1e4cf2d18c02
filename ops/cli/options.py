"""Options that several commands share."""

import sys
from contextlib import suppress
from typing import Annotated, Literal, get_args

import typer

from config.accounts_file import accounts
from config.errors import ConfigurationError
from config.near import did_you_mean
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


def accounts_completed(incomplete: str) -> list[str]:
    """The configured accounts that begin so, for a shell; none where the configuration cannot be read."""
    with suppress(ConfigurationError):
        return [name for name in accounts() if name.startswith(incomplete)]
    return []


def states_completed(incomplete: str) -> list[str]:
    """The states that begin so, for a shell."""
    return [state for state in get_args(State) if state.startswith(incomplete)]


def known_account(name: str, *, param: str = "--account", also: tuple[str, ...] = ()) -> str:
    """The name itself, where it is configured or one of `also`.

    Raises:
        typer.BadParameter: naming the configured accounts.
    """
    if name in accounts() or name in also:
        return name
    known = sorted(accounts())
    problem = f"no account is named {clean(name)!r}; there are: {', '.join(known)}{did_you_mean(name, known)}"
    raise typer.BadParameter(problem, param_hint=param)


def confirmed(verb: str, count: int, yes: bool, what: str = "invitations") -> bool:
    """Whether to `verb` so many of `what`: asks on a terminal, unless `yes`.

    Raises:
        typer.BadParameter: there is no terminal, so nobody to ask.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        problem = f"there is nobody to ask without a terminal, and nothing was changed; to {verb} {count} add --yes"
        raise typer.BadParameter(problem)
    return not count or typer.confirm(f"{verb.capitalize()} {count} {what}?")
