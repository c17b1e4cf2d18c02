"""The figures as a Markdown table: what was measured, by whom, held against what."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from ops.bench.figures import BARE, OURS, Figure, Row, rows

GOALS = {
    1: "Limit used",
    2: "Nobody waits for another",
    3: "Throughput",
    4: "Latency at low load",
    5: "Acceptance",
    6: "Waiting is free",
    7: "Recovery",
    8: "Retrieval",
    9: "Growth",
}
NOT_ENDED = "not ended"


def markdown(figures: Iterable[Figure], conditions: Mapping[str, str], left_out: Sequence[str]) -> str:
    """The whole page: how it was measured, then a table for each goal."""
    lines = ["# What was measured", "", *(f"- {name}: {text}" for name, text in conditions.items())]
    lines += [f"- left out: {text}" for text in left_out]
    for goal, those in groupby(rows(figures), lambda row: row.goal):
        lines += ["", f"## {goal}. {GOALS[goal]}", "", *_table(list(those))]
    return "\n".join(lines) + "\n"


def number(value: float) -> str:
    """Three figures that tell, and no more."""
    if math.isinf(value):
        return NOT_ENDED
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def _table(those: list[Row]) -> list[str]:
    who = [name for name in dict.fromkeys(name for row in those for name in row.values) if name != OURS]
    who.sort(key=lambda name: name != BARE)
    head = ["", "bound", "met", OURS, *who]
    cells = [[_what(row), _bounds(row), _met(row), *(_value(row, name) for name in (OURS, *who))] for row in those]
    return [_line(head), _line(["---", "---", "---", *["---:"] * (len(who) + 1)]), *map(_line, cells)]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _what(row: Row) -> str:
    return row.what if row.runs == 1 else f"{row.what} ({row.runs} runs)"


def _value(row: Row, name: str) -> str:
    if name not in row.values:
        return ""
    value = number(row.values[name])
    return f"{value} {row.unit}" if row.unit and value != NOT_ENDED else value


def _bounds(row: Row) -> str:
    return "; ".join(
        str(bound) + (f" = {number(limit)}" if bound.of and (limit := bound.limit(row)) is not None else "")
        for bound in row.bounds
    )


def _met(row: Row) -> str:
    met = [bound.is_met(row) for bound in row.bounds]
    if False in met:
        return "**no**"
    return "yes" if True in met else ""
