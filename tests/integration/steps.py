"""Steps of an invitation without a worker or a provider, in the deployment that the command line looks at."""

from typing import Any

from config.accounts_file import accounts
from tests.command_line import CommandLine
from tests.deliveries import LEASE_MS
from tests.two_steps import TwoStepLedger
from worker.claims import Claim
from worker.connection import redis
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
    """Lets everything pass that may, and claims this one."""
    steps = TwoStepLedger(redis())
    steps.configure(accounts().values())
    steps.admit(100, LEASE_MS)
    claimed = steps.claim(invitation, LEASE_MS)
    assert isinstance(claimed, Claim)
    return claimed


def settle(invitation: str, **step: Any) -> None:
    """Takes it, and settles it with a step as in settle.lua."""
    ledger().settle(invitation, claim(invitation).token, {"reason": "", **step})
