"""`invitations accounts check`: whether each provider takes its account's credentials."""

from collections.abc import Mapping
from typing import Annotated

import typer

from config.accounts import Account
from config.accounts_file import accounts
from config.settings import load_settings
from ops.cli.errors import FAILED
from ops.cli.options import AsJson, known_account
from ops.cli.output import cell, print_json, print_table, table
from ops.doctor import PROBLEM, Finding
from ops.doctor.findings import Deployment
from ops.doctor.online import ask_all
from worker.connection import redis

Names = Annotated[list[str] | None, typer.Argument(help="These accounts only.", show_default=False)]


def check(names: Names = None, *, as_json: AsJson = False) -> None:
    """Ask each provider whether it takes its account's credentials, by a call that invites nobody.

    What `invitations doctor --online` says of them; the call counts towards the account's limit. Exit code 1 where one
    is refused or not answered.

    \b
    Example:
      invitations accounts check
      invitations accounts check shop_nl --json
    """
    wanted = [known_account(name, param="NAME") for name in names or accounts()]
    found = asked({name: accounts()[name] for name in wanted})
    well = all(finding.level != PROBLEM for finding in found.values())
    if as_json:
        told = {name: {"level": one.level, "found": one.found, "advice": one.advice} for name, one in found.items()}
        print_json({"ok": well, "accounts": told})
    else:
        made = table("", "account", "credentials", "to do")
        for name, one in found.items():
            made.add_row(cell(one.level), cell(name), cell(one.found), cell(one.advice))
        print_table(made)
    if not well:
        raise typer.Exit(FAILED)


def asked(accounts: Mapping[str, Account]) -> dict[str, Finding]:
    """What each account's provider says. Raises redis.RedisError where Redis is away."""
    return dict(zip(accounts, ask_all(Deployment(redis(), load_settings(), dict(accounts))), strict=True))
