"""`invitations watch`: the accounts, live."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from signal import SIGINT, SIGWINCH, default_int_handler, signal
from threading import Event
from typing import Annotated

import typer
from redis.exceptions import RedisError
from rich.console import ConsoleDimensions, Group, RenderableType
from rich.live import Live
from rich.text import Text

from config.units import parse_duration
from ops.cli.errors import explain
from ops.cli.look import Look, drawn
from ops.cli.output import console
from ops.cli.pulse import Pulse
from ops.cli.status import looked, status
from worker.ledger import ledger

REFRESH_SECONDS = 1.0


def _seconds(text: str) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    try:
        return parse_duration(text) / 1000
    except ValueError:
        raise typer.BadParameter('expected seconds, or a time such as "90s" or "5m"') from None


Seconds = Annotated[
    float | None,
    typer.Option(
        "--for", help='End by itself after so many seconds, or so long: "5m".', parser=_seconds, metavar="TIME"
    ),
]


def watch(*, seconds: Seconds = None) -> None:
    """Watch every account live, until Ctrl-C, which leaves the last look. In a pipe it prints one look and ends.

    "per min" is how many the provider took in the last minute, "429s" how many calls it refused for its limit
    meanwhile.

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
    looks = Looks()
    looks.take()
    # On a screen of its own, which a window that changes its size does not garble.
    with (
        suppress(KeyboardInterrupt),
        _signals() as signals,
        Live(looks.drawn(out.size), console=out, screen=True, auto_refresh=False) as live,
    ):
        while not signals.interrupted and (ends is None or time.monotonic() < ends):
            left = REFRESH_SECONDS if ends is None else min(REFRESH_SECONDS, ends - time.monotonic())
            if not signals.woken.wait(max(0.0, left)):
                looks.take()
            signals.woken.clear()
            live.update(looks.drawn(out.size), refresh=True)
    out.print(looks.drawn(out.size))


class Looks:
    """One look after the other; where Redis is away the last one stays, below what is wrong."""

    def __init__(self) -> None:
        self._pulse = Pulse(ledger().redis)
        self._last: Look | None = None
        self._trouble = ""

    def take(self) -> None:
        try:
            self._last = looked(self._pulse)
            self._trouble = ""
        except RedisError as error:
            self._trouble = f"{explain(error)[0]} Looking again each second; Ctrl-C ends."

    def drawn(self, size: ConsoleDimensions) -> RenderableType:
        trouble = [Text(self._trouble, style="red")] if self._trouble else []
        look = [drawn(self._last, size.width, size.height - len(trouble))] if self._last else []
        return Group(*trouble, *look)


class _Signals:
    """The first Ctrl-C, and windows that change their size. The second Ctrl-C raises KeyboardInterrupt, which Python
    loses where it comes in the middle of a destructor."""

    def __init__(self) -> None:
        self.woken = Event()
        self.interrupted = False

    def interrupt(self, *_: object) -> None:
        self.interrupted = True
        self.woken.set()
        signal(SIGINT, default_int_handler)

    def wake(self, *_: object) -> None:
        self.woken.set()


@contextmanager
def _signals() -> Iterator[_Signals]:
    signals = _Signals()
    before = signal(SIGINT, signals.interrupt), signal(SIGWINCH, signals.wake)
    try:
        yield signals
    finally:
        signal(SIGINT, before[0])
        signal(SIGWINCH, before[1])
