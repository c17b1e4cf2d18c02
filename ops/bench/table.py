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
        lines += ["", f"## {goal}. {GOALS[goal]}", *_tables(list(those))]
    return "\n".join(lines) + "\n"


def number(value: float) -> str:
    """Three figures that tell, and no more."""
    if math.isinf(value):
        return NOT_ENDED
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def _tables(those: list[Row]) -> list[str]:
    """One line for each thing that was measured; where several were measured of it, one for each whose they are."""
    lines: list[str] = []
    for measures, group in groupby(_by_measures(those), lambda wide: tuple(row.measure for row in wide)):
        found = list(group)
        lines += ["", *(_narrow([row for wide in found for row in wide]) if measures == ("",) else _wide(found))]
    return lines


def _by_measures(those: list[Row]) -> list[list[Row]]:
    """The rows of each thing together, and things of which the same was measured behind each other."""
    things: dict[str, list[Row]] = {}
    for row in those:
        things.setdefault(row.what, []).append(row)
    order = list(dict.fromkeys(tuple(row.measure for row in thing) for thing in things.values()))
    return sorted(things.values(), key=lambda thing: order.index(tuple(row.measure for row in thing)))


def _wide(things: list[list[Row]]) -> list[str]:
    measures = [f"{row.measure}, {row.unit}" if row.unit else row.measure for row in things[0]]
    lines = [_line(["", "", *measures, "met"]), _line(["---", "---", *["---:"] * len(measures), "---"])]
    for thing in things:
        for who in _who(thing):
            met = ["no" if row.is_met is False else "yes" for row in thing if row.is_met is not None]
            told = ("**no**" if "no" in met else "yes" if met else "") if who == OURS else ""
            lines.append(_line([_what(thing[0]), who, *(_held(row, who) for row in thing), told]))
    return lines


def _narrow(those: list[Row]) -> list[str]:
    who = _who(those)
    cells = [[_what(row), _bounds(row), _met(row), *(_value(row, name) for name in who)] for row in those]
    return [_line(["", "bound", "met", *who]), _line(["---", "---", "---", *["---:"] * len(who)]), *map(_line, cells)]


def _who(those: list[Row]) -> list[str]:
    """Whose figures there are: ours first, then the bare loop."""
    names = dict.fromkeys(name for row in those for name in row.values)
    return sorted(names, key=lambda name: (name != OURS, name != BARE))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _what(row: Row) -> str:
    return row.what if row.runs == 1 else f"{row.what} ({row.runs} runs)"


def _held(row: Row, who: str) -> str:
    """The bare figure; of ours with its bounds, and marked where it does not keep them."""
    value = number(row.values[who]) if who in row.values else ""
    if who != OURS or not row.bounds:
        return value
    return f"{f'**{value}**' if row.is_met is False else value} ({_bounds(row)})"


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
    return {None: "", True: "yes", False: "**no**"}[row.is_met]
