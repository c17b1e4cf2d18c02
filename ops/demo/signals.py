"""What Ctrl-C, SIGTERM and a terminal that is closed do to the demo."""

from collections.abc import Iterator
from contextlib import contextmanager
from signal import SIG_IGN, SIGHUP, SIGINT, SIGTERM, raise_signal, signal
from types import FrameType

SIGNALS = (SIGINT, SIGTERM, SIGHUP)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """The first signal raises KeyboardInterrupt; those that follow do not disturb what it sets going."""
    before = {number: signal(number, _interrupt) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal(number, handler)


@contextmanager
def signals_wait() -> Iterator[None]:
    """A signal that comes meanwhile is answered at the end: a process that is being started is never lost sight of."""
    came: list[int] = []
    before = {number: signal(number, lambda number, _: came.append(number)) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal(number, handler)
        if came:
            raise_signal(came[0])


def ignore_signals() -> None:
    """From here on nothing interrupts: what was started is being ended."""
    for number in SIGNALS:
        signal(number, SIG_IGN)


def _interrupt(number: int, frame: FrameType | None) -> None:
    ignore_signals()
    raise KeyboardInterrupt
