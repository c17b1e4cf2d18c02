"""How things are printed: plain JSON for programs; tables for people, without frames or colours in a pipe."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PIPE_WIDTH = 10_000
UNKNOWN_LIMIT = "not known yet"
STYLES = {
    **dict.fromkeys(("open", "accepted", "sent", "ok"), "green"),
    **dict.fromkeys(("closed", "warning", "unknown", "to be tried again"), "yellow"),
    **dict.fromkeys(("paused", "rejected", "failed", "refused", "problem"), "red"),
    "delivering": "cyan",
}
WHOLE = ("id", "account", "state", "changed", "due", "provider", "check")
UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def console(*, stderr: bool = False) -> Console:
    """A console that takes no text for markup. In a pipe nothing is wrapped or coloured."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=False, width=width)


def print_json(data: Any) -> None:
    """One line of JSON on standard output."""
    sys.stdout.write(json.dumps(data) + "\n")


def iso(ms: int | None) -> str | None:
    """2026-07-01T12:00:00.123Z from milliseconds since the epoch."""
    if ms is None:
        return None
    return (EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(ms: int | None) -> str:
    """2026-07-01 12:00:00 UTC, for people."""
    return f"{EPOCH + timedelta(milliseconds=ms):%Y-%m-%d %H:%M:%S} UTC" if ms is not None else ""


def span(ms: int) -> str:
    """A duration for people, in its two largest units: 2 d 3 h, 15 min, 42 s."""
    seconds = max(0, round(ms / 1000))
    parts = []
    for size, unit in UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    if seconds or not parts:
        parts.append(f"{seconds} s")
    return " ".join(parts[:2])


def clean(text: str) -> str:
    """`text` as it may stand on a terminal: whatever could steer the terminal is replaced."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def styled(word: str) -> str:
    """The style of a state, a gate or a level."""
    return STYLES.get(word, "")


def cell(value: object) -> Text:
    """A value as text; a state or a level in its colour."""
    text = clean(str(value)) if value is not None else ""
    return Text(text, style=styled(text))


def when(ms: int | None, now: int) -> str:
    """How long ago, or in how long, in its largest unit: 3 d ago, in 15 min."""
    if ms is None:
        return ""
    words = " ".join(span(abs(now - ms)).split()[:2])
    return f"in {words}" if ms > now else f"{words} ago"


def table(*columns: str, numbers: tuple[str, ...] = (), header: bool = True, terminal: bool = False) -> Table:
    """An empty table; `numbers` are aligned right. With `terminal` it has a rule, for a view that stays."""
    look = box.SIMPLE_HEAD if terminal else None
    made = Table(box=look, pad_edge=False, padding=(0, 2, 0, 0), show_header=header, header_style="bold")
    for column in columns:
        justify: Literal["right", "left"] = "right" if column in numbers else "left"
        made.add_column(column, justify=justify, overflow="fold", no_wrap=column in WHOLE)
    return made


def unbroken(made: Table) -> Table:
    """The table, filled, with columns that are never narrower than their longest word."""
    for column in made.columns:
        texts = (str(text) for text in (column.header, *column.cells))
        column.min_width = max((cell_len(word) for text in texts for word in text.split()), default=0)
    return made


def print_rows(rows: Iterable[Sequence[str | None]]) -> None:
    """Lines for `cut` and `awk -F '\\t'`: no headings, tabs between, an empty cell for what is not there."""
    for row in rows:
        sys.stdout.write("\t".join(clean(value or "") for value in row) + "\n")


def print_table(made: Table) -> None:
    """Prints a table, no word of it broken; lines end where their text does."""
    out = console()
    unbroken(made)
    with out.capture() as captured:
        out.print(made)
    for line in captured.get().splitlines():
        sys.stdout.write(line.rstrip() + "\n")
