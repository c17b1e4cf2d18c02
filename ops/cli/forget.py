"""`invitations forget`: everything that is held on an address is erased."""

from typing import Annotated

import typer

from ops.cli.addresses import AddressFile, Emails, given
from ops.cli.bulk import advancing
from ops.cli.options import AsJson, Yes, confirmed
from ops.cli.output import cell, print_json, print_table, table
from tasks.forget import Erasure, eraser
from tasks.suppression import suppression
from worker.connection import redis

Suppress = Annotated[bool, typer.Option("--suppress", help="Put them on the opt-out list as well.")]


def forget(
    *,
    emails: Emails = None,
    file: AddressFile = None,
    suppress: Suppress = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Erase everything that is held on an address, in all accounts and states.

    What waits is cancelled. An id and its states are kept until retention ends, so that the same job is not sent
    twice. What the provider has is the provider's to erase. Jobs that come in later are accepted, unless --suppress.
    Options show in the list of processes; a file does not.

    \b
    Example:
      invitations forget --email jane@example.com
      invitations forget --file addresses.txt --suppress --yes
    """
    addresses = [one.address for one in given(emails, file)]
    what = "address, for good" if len(addresses) == 1 else "addresses, for good"
    if not confirmed("forget", len(addresses), yes, what):
        raise typer.Abort
    if suppress:
        suppression().add(addresses, None)
    with advancing(redis().dbsize()) as advance:
        erasure = eraser().forget(addresses, advance)
    _print(erasure, suppress, as_json)


def _print(erasure: Erasure, suppressed: bool, as_json: bool) -> None:
    told = erasure.as_dict()
    if as_json:
        print_json({**told, "suppressed": suppressed})
        return
    typer.echo(f"{told['forgotten']} invitations forgotten")
    rows = table("account", "state", "forgotten", numbers=("forgotten",))
    for account, states in told["accounts"].items():
        for state, count in states.items():
            rows.add_row(cell(account), cell(state), str(count))
    if told["accounts"]:
        print_table(rows)
    if erasure.unaccepted:
        typer.echo(f"{erasure.unaccepted} of their jobs were not accepted yet, and will not be")
    if suppressed:
        typer.echo("New jobs of these addresses end as suppressed")
