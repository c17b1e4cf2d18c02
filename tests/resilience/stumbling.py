"""A worker whose own code stumbles, over jobs with certain order numbers, with errors that repeat all they know:
`celery -A tests.resilience.stumbling worker`."""

from typing import Any

import tasks.upkeep
from config.accounts_file import accounts
from tasks.acceptance import Acceptance
from tasks.providers.pipeline import Pipeline
from tests.resilience.canaries import ADDRESS, CANARIES, CODE, SECRET, TOKEN
from worker.app import app
from worker.ledger import Ledger

__all__ = ["app"]

STUMBLES = ("stumble-in-read", "stumble-in-accept", "stumble-in-deliver")


class Stumbled(Exception):
    """Its text and its cause repeat everything."""


def stumble(*known: Any) -> None:
    """Raises with locals, arguments, notes and a cause that hold all canaries."""
    words = " ".join([*CANARIES.values(), CODE, TOKEN, SECRET])
    error = Stumbled(f"cannot handle {known!r} {known} of {ADDRESS}: {words}")
    error.add_note(words)
    raise error from ValueError(words)


def _stumbling(kind: type, name: str, over: Any) -> None:
    """The method stumbles where `over` says so of its arguments."""
    method = getattr(kind, name)

    def instead(*args: Any, **options: Any) -> Any:
        if over(*args, **options):
            stumble(args, options, accounts())
        return method(*args, **options)

    setattr(kind, name, instead)


_stumbling(Acceptance, "_entry", lambda acceptance, raw, now: "stumble-in-read" in str(raw))
_stumbling(Ledger, "accept", lambda ledger, entries, *_: any(one.order == "stumble-in-accept" for one in entries))
_stumbling(Pipeline, "deliver", lambda pipeline, account, job, **_: job.order == "stumble-in-deliver")
_stumbling(Pipeline, "list_page", lambda pipeline, account, **_: account.name == "stumbles")
_stumbling(Ledger, "erase", lambda *_: True)
tasks.upkeep.drop_gone_readers = stumble  # type: ignore[assignment]
