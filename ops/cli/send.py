"""`invitations send`: one job, from options, a file or standard input."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ops.cli.errors import BAD_USAGE
from ops.cli.fields import DELAYS, is_delay, job_of
from ops.cli.options import AsJson, accounts_completed
from ops.cli.output import print_json
from tasks.acceptance import acceptance

NOT_OF_THE_JOB = ("file", "as_json")
SUPPRESSED = "suppressed, and not sent: the address asked for no invitations"

Account = Annotated[str | None, typer.Option(help="The account that sends it.", autocompletion=accounts_completed)]
Text = Annotated[str | None, typer.Option(show_default=False)]
Order = Annotated[str | None, typer.Option(help="Order number.")]
Language = Annotated[str | None, typer.Option(help="Language, such as nl.")]
Phone = Annotated[list[str] | None, typer.Option(help="Phone number; repeat it for several.")]
Total = Annotated[str | None, typer.Option(help="Total of the order, such as 1500.99.")]
Waits = Annotated[str | None, typer.Option(help='When, counted from now: "5 days", "2 weekdays", "3 hours".')]
Reminds = Annotated[
    str | None,
    typer.Option(help='When the provider reminds the customer, 24 hours after the delay at least: "12 days".'),
]
Key = Annotated[str | None, typer.Option(help="In place of address and order, to tell invitations apart.")]
NoInvite = Annotated[bool, typer.Option("--no-invite", help="Register the order, send no invitation.")]
Products = Annotated[list[str] | None, typer.Option(help="A product as JSON; repeat it for several.")]
File = Annotated[str | None, typer.Argument(help="The job as JSON; - for standard input.", metavar="FILE")]


def send(  # noqa: PLR0913
    file: File = None,
    *,
    account: Account = None,
    email: Annotated[str | None, typer.Option(help="The customer's address.")] = None,
    order: Order = None,
    language: Language = None,
    full_name: Text = None,
    first_name: Text = None,
    last_name: Text = None,
    phone: Phone = None,
    order_total: Total = None,
    delay: Waits = None,
    reminder: Reminds = None,
    filtercode: Text = None,
    client: Text = None,
    platform_version: Text = None,
    plugin_version: Text = None,
    no_invite: NoInvite = False,
    idempotency_key: Key = None,
    product: Products = None,
    as_json: AsJson = False,
) -> None:
    """Enqueue one job: from options, from a JSON file, or from standard input.

    A job that is not valid is kept in the state "refused", with every fault, and the exit code is 2.
    Options show in the list of processes; a file does not.

    \b
    Example:
      invitations send --account shop_nl --email jane@example.com --order 1001 --delay "5 days"
      invitations send job.json --json
      echo '{"account": "shop_nl", "email": "jane@example.com"}' | invitations send -
    """
    # Every option is a field of the job, so the options are taken as they stand in the signature.
    given = {name: value for name, value in locals().items() if name not in NOT_OF_THE_JOB and value}
    if bool(given) == bool(file):
        raise typer.BadParameter("expected either a FILE (or -), or options such as --account and --email")
    _send(_read(file) if file else _job(given), as_json)


def _job(given: dict[str, Any]) -> dict[str, Any]:
    for name in DELAYS:
        if name in given and not is_delay(given[name]):
            raise typer.BadParameter('expected a time such as "5 days"', param_hint=f"--{name}")
    products = [_product(text) for text in given.get("product", ())]
    invite = False if given.get("no_invite") else None
    return job_of({**given, "phone_numbers": given.get("phone"), "products": products, "invite": invite})


def _product(text: str) -> dict[str, Any]:
    try:
        product = json.loads(text)
    except (ValueError, RecursionError):
        product = None
    if not isinstance(product, dict):
        raise typer.BadParameter(
            """expected a JSON object, such as '{"id": "1", "name": "Pear", "url": "https://shop.example/p/1"}'""",
            param_hint="--product",
        )
    return product


def _read(file: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise typer.BadParameter(f"cannot be read: {error.strerror}", param_hint="FILE") from None
    except UnicodeDecodeError:
        raise typer.BadParameter("expected JSON in UTF-8", param_hint="FILE") from None


def _send(job: dict[str, Any] | str, as_json: bool) -> None:
    answer = acceptance().accept([job])[0]
    receipt, faults = answer.receipt, answer.faults
    if as_json:
        told = {"faults": [fault.model_dump() for fault in faults]} if faults else {}
        print_json({"id": receipt.id, "state": receipt.state, "created": receipt.created, **told})
    elif not faults:
        created = SUPPRESSED if receipt.state == "suppressed" else "enqueued"
        typer.echo(f"{receipt.id}: {created if receipt.created else f'known already, {receipt.state}'}")
    if faults:
        lines = ["The job was refused:", *(f"  - {fault}" for fault in faults)]
        kept = f"It is kept; to mend it and send it again: invitations show {receipt.id} --job > job.json"
        typer.echo("\n".join([*lines, kept]), err=True)
        raise typer.Exit(BAD_USAGE)
