"""`invitations watch`: the accounts, live."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from signal import SIGINT, signal
from threading import Event
from typing import Annotated

import typer
from redis.exceptions import RedisError
from rich.console import RenderableType
from rich.live import Live
from rich.text import Text

from config.accounts_file import accounts
from ops.cli.errors import explain
from ops.cli.output import console
from ops.cli.status import status, status_table
from worker.ledger import ledger
from worker.overview import overview

REFRESH_SECONDS = 1.0

Seconds = Annotated[float | None, typer.Option("--for", help="End by itself after so many seconds.", min=0)]


def watch(*, seconds: Seconds = None) -> None:
    """Watch every account live, until Ctrl-C. In a pipe it prints one look and ends.

    \b
    Example:
      invitations watch
      invitations watch --for 60
    """
    out = console()
    if not out.is_terminal:
        status()
        return
    ends = time.monotonic() + seconds if seconds is not None else None
    with (
        suppress(KeyboardInterrupt),
        _interruption() as interrupted,
        Live(_look(), console=out, auto_refresh=False) as live,
    ):
        while ends is None or time.monotonic() < ends:
            left = REFRESH_SECONDS if ends is None else min(REFRESH_SECONDS, ends - time.monotonic())
            if interrupted.wait(max(0.0, left)):
                break
            live.update(_look(), refresh=True)


@contextmanager
def _interruption() -> Iterator[Event]:
    """Set by the first Ctrl-C; the second raises KeyboardInterrupt, which Python loses where it comes in the middle of
    a destructor."""
    interrupted = Event()

    def interrupt(*_: object) -> None:
        interrupted.set()
        signal(SIGINT, before)

    before = signal(SIGINT, interrupt)
    try:
        yield interrupted
    finally:
        signal(SIGINT, before)


def _look() -> RenderableType:
    try:
        views = overview(ledger(), accounts().values())
        return status_table(views, ledger().now(), console().width, terminal=True)
    except RedisError as error:
        return Text(f"{explain(error)[0]} Looking again each second; Ctrl-C ends.", style="red")
