"""`invitations suppress`: the list of addresses that asked for no invitations."""

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from ops.cli.addresses import AddressFile, Emails, Given, given
from ops.cli.bulk import advancing
from ops.cli.options import AsJson, accounts_completed, known_account
from ops.cli.output import iso, print_json
from tasks.suppression import EVERY, suppression
from worker.connection import redis
from worker.records import Records

Action = Annotated[Literal["add", "remove", "check"], typer.Argument(help="What to do.")]
Account = Annotated[
    str | None, typer.Option(help="Of this account only, not of all.", autocompletion=accounts_completed)
]


def suppress(
    action: Action,
    *,
    emails: Emails = None,
    file: AddressFile = None,
    account: Account = None,
    as_json: AsJson = False,
) -> None:
    """Keep the list of addresses that asked for no invitations. Nobody can read an address from it.

    add: what waits for them ends as suppressed, and so does what comes in. remove: new jobs pass again; what ended as
    suppressed stays so. check: which of them stand on the list.
    Options show in the list of processes; a file does not.

    \b
    Example:
      invitations suppress add --email jane@example.com
      invitations suppress remove --email jane@example.com --account shop_nl
      invitations suppress check --file addresses.txt --json
    """
    if account:
        known_account(account, also=tuple(Records(redis()).accounts()))
    addresses = given(emails, file)
    {"add": _add, "remove": _remove, "check": _check}[action](addresses, account, as_json)


def _add(addresses: Sequence[Given], account: str | None, as_json: bool) -> None:
    suppressing = suppression()
    with advancing(suppressing.waiting(account)) as advance:
        done = suppressing.add([one.address for one in addresses], account, advance)
    if as_json:
        print_json({"added": done.added, "known": done.known, "ended": done.ended})
        return
    typer.echo(f"{done.added} added, {done.known} already there; {done.ended} invitations that waited were ended")


def _remove(addresses: Sequence[Given], account: str | None, as_json: bool) -> None:
    suppressing, plain = suppression(), [one.address for one in addresses]
    removed = suppressing.remove(plain, account)
    still = sum(map(bool, suppressing.check(plain, account)))
    if as_json:
        print_json({"removed": removed, "still_suppressed": still})
        return
    typer.echo(f"{removed} removed")
    if still:
        typer.echo(f"{still} stay suppressed: they stand on the list of all accounts; leave --account out", err=True)


def _check(addresses: Sequence[Given], account: str | None, as_json: bool) -> None:
    checked = suppression().check([one.address for one in addresses], account)
    found = [(one.place, lists) for one, lists in zip(addresses, checked, strict=True) if lists]
    if as_json:
        told = [{"place": place, "since": {name: iso(at) for name, at in lists.items()}} for place, lists in found]
        print_json({"checked": len(addresses), "suppressed": told})
        return
    typer.echo(f"{len(found)} of {len(addresses)} suppressed")
    for place, lists in found:
        names = ", ".join("all accounts" if name == EVERY else name for name in lists)
        typer.echo(f"  {place}: {names}")
