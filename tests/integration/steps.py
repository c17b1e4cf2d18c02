"""Steps of an invitation without a worker or a provider, in the deployment that the command line looks at."""

from typing import Any

from config.accounts_file import accounts
from tests.command_line import CommandLine
from tests.deliveries import take
from worker.claims import Claim
from worker.ledger import ledger


def send(cli: CommandLine, order: str, account: str = "shop_nl") -> str:
    """The id of a new invitation, whose customer is full of canaries."""
    job = (
        "--account",
        account,
        "--email",
        "canary.jane@example.com",
        "--order",
        order,
        "--full-name",
        "Canary Doe",
    )
    return str(cli("send", *job, "--json").data["id"])


def claim(invitation: str) -> Claim:
    """Lets everything pass that may, and takes this one as a worker would."""
    ledger().configure(accounts().values())
    return take()[invitation]


def settle(invitation: str, **step: Any) -> None:
    """Takes it, and settles it with a step as in settle.lua."""
    ledger().settle(invitation, claim(invitation).token, {"reason": "", **step})
