"""What beat starts, and how often."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from config.accounts import BaseAccount
from config.settings import Settings

UPKEEP_SECONDS = 300
# By how much the clocks of beat's host and a worker's may disagree: a message that looks late is not dropped for that.
CLOCKS_SECONDS = 3600


def beat_schedule(settings: Settings, accounts: Iterable[BaseAccount]) -> dict[str, dict[str, Any]]:
    """A retrieval per account whose provider tells what it sent, and the upkeep; what nobody takes expires."""
    retrievals = {
        f"retrieve-{account.name}": _entry("invitations.retrieve", settings.retrieve_seconds, [account.name])
        for account in accounts
        if account.lists
    }
    return {**retrievals, "upkeep": _entry("invitations.upkeep", UPKEEP_SECONDS, [])}


def _entry(task: str, seconds: int, args: list[str]) -> dict[str, Any]:
    return {
        "task": task,
        "schedule": timedelta(seconds=seconds),
        "args": args,
        "options": {"expires": seconds + CLOCKS_SECONDS, "ignore_result": True},
    }
