"""`invitations accounts`: what is configured, without its secrets; to add one, and to try each."""

from typing import Any

import typer

from config.accounts import BaseAccount
from config.accounts_file import accounts
from ops.cli.accounts_add import add
from ops.cli.accounts_check import check
from ops.cli.options import AsJson
from ops.cli.output import UNKNOWN_LIMIT, cell, print_json, print_table, span, table

COLUMNS = (
    "account",
    "provider",
    "shares its gate",
    "limit",
    "calls at once",
    "attempts",
    "gives up after",
    "sent is told",
)

group = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
group.command(
    "add",
    short_help="Add one: asks what its provider needs, tries it, writes the file.",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)(add)
group.command("check", short_help="Ask each provider whether it takes the credentials.")(check)


@group.callback(invoke_without_command=True)
def list_accounts(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the configured accounts, add one, or try each. Secrets are never shown.

    \b
    Example:
      invitations accounts --json
      invitations accounts add
      invitations accounts check shop_nl
    """
    if context.invoked_subcommand:
        return
    told = {name: _account_json(account) for name, account in accounts().items()}
    if as_json:
        print_json({"accounts": told})
    else:
        _print(told)


def _account_json(account: BaseAccount) -> dict[str, Any]:
    limit = account.limit
    return {
        "provider": account.provider,
        "gate": account.gate,
        "limit_group": account.limit_group,
        "limit": f"{limit.count} per {limit.period_ms / 1000:g} s" if limit else None,
        "burst": account.burst,
        "concurrency": account.concurrency,
        "max_attempts": account.max_attempts,
        "expires_after_seconds": account.expires_after / 1000,
        "timeout_seconds": account.timeout,
        "timezone": account.timezone,
        "tells_what_was_sent": account.lists,
    }


def _print(told: dict[str, dict[str, Any]]) -> None:
    made = table(*COLUMNS, numbers=("calls at once", "attempts"))
    for name, account in told.items():
        made.add_row(
            cell(name),
            cell(account["provider"]),
            cell(account["limit_group"] or "no"),
            cell(account["limit"] or UNKNOWN_LIMIT),
            str(account["concurrency"]),
            str(account["max_attempts"]),
            span(round(account["expires_after_seconds"] * 1000)),
            "yes" if account["tells_what_was_sent"] else "no",
        )
    print_table(made)
