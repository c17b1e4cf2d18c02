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
    """The upkeep, and one look at which accounts have something to be retrieved, where any account's provider tells
    what it sent. However many accounts there are, the schedule is as short; what nobody takes expires."""
    upkeep = {"upkeep": _entry("invitations.upkeep", UPKEEP_SECONDS)}
    if not any(account.lists for account in accounts):
        return upkeep
    return {"retrievals": _entry("invitations.retrievals", settings.retrieve_seconds), **upkeep}


def expires_seconds(every_seconds: int) -> int:
    """After how long nobody needs a message that is sent so often."""
    return every_seconds + CLOCKS_SECONDS


def _entry(task: str, seconds: int) -> dict[str, Any]:
    return {
        "task": task,
        "schedule": timedelta(seconds=seconds),
        "options": {"expires": expires_seconds(seconds), "ignore_result": True},
    }
