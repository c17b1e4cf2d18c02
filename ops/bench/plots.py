"""The figures as plots, where matplotlib is installed."""

import math
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ops.bench.figures import OURS, Figure, Row, rows

SIZE, DPI = (8, 4), 120
OUR_COLOUR, OTHER_COLOUR = "tab:blue", "tab:gray"
BARS = {
    "throughput.png": (3, "", "jobs"),
    "cpu.png": (3, "", "CPU of the workers for each"),
    "enqueuing.png": (5, "enqueued in bulk", ""),
    "latency.png": (4, "", "p"),
    "isolation.png": (2, "a free account's p50", ""),
}
"""File to the goal of the rows that it shows side by side, and how what was measured begins, and of what."""


def plot(figures: Sequence[Figure], folder: Path) -> bool:
    """Writes PNG files for what was measured. False where matplotlib is not installed."""
    if not find_spec("matplotlib"):
        return False
    matplotlib: Any = import_module("matplotlib")
    matplotlib.use("Agg")
    plt: Any = import_module("matplotlib.pyplot")
    found = rows(figures)
    for name, (goal, what, measure) in BARS.items():
        shown = [row for row in found if row.goal == goal]
        if shown := [row for row in shown if row.what.startswith(what) and row.measure.startswith(measure)]:
            _bars(plt, shown, folder / name)
    if curves := _curves(figures):
        _lines(plt, curves, folder / "growth.png")
    if points := _points(found):
        _scatter(plt, points, folder / "limit.png")
    return True


def _bars(plt: Any, those: Sequence[Row], file: Path) -> None:
    drawing, axes = plt.subplots(1, len(those), figsize=(SIZE[0], SIZE[1]), squeeze=False)
    for place, row in zip(axes[0], those, strict=True):
        shown = {who: value for who, value in sorted(row.values.items(), key=lambda one: one[1]) if value < math.inf}
        colours = [OUR_COLOUR if who == OURS else OTHER_COLOUR for who in shown]
        place.barh(list(shown), list(shown.values()), color=colours)
        place.set_title(f"{row.what}\n{row.measure}", fontsize=8)
        place.set_xlabel(row.unit)
    _save(plt, drawing, file)


def _curves(figures: Iterable[Figure]) -> dict[str, dict[float, float]]:
    """What a delivery costs, by what grows: the places along the curve and the value there."""
    curves: dict[str, dict[float, float]] = {}
    for figure in figures:
        if figure.goal == 9 and figure.x is not None and figure.what.startswith("CPU"):
            what = "accounts" if "account" in figure.what else "waiting invitations"
            curves.setdefault(what, {})[figure.x] = figure.value
    return curves


def _lines(plt: Any, curves: dict[str, dict[float, float]], file: Path) -> None:
    drawing, axes = plt.subplots(figsize=SIZE)
    for what, curve in curves.items():
        axes.plot(sorted(curve), [curve[x] for x in sorted(curve)], marker="o", label=what)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("how many")
    axes.set_ylabel("CPU of worker and server for a delivery, ms")
    axes.legend()
    _save(plt, drawing, file)


def _points(found: Iterable[Row]) -> dict[str, dict[str, float]]:
    """By subject: how long it took (of the floor), and how often it was refused, where all were measured."""
    points: dict[str, dict[str, float]] = {}
    for row in found:
        if row.goal == 1 and len(row.values) > 1 and row.what.startswith("20 per 1 s"):
            for who, value in row.values.items():
                points.setdefault(who, {})[row.measure] = value
    return {who: point for who, point in points.items() if math.inf not in point.values()}


def _scatter(plt: Any, points: dict[str, dict[str, float]], file: Path) -> None:
    drawing, axes = plt.subplots(figsize=SIZE)
    for who, point in points.items():
        x, y = point["time ÷ floor"], point["refusals per 1,000 accepted"]
        axes.scatter([x], [y], color=OUR_COLOUR if who == OURS else OTHER_COLOUR)
        axes.annotate(who, (x, y), textcoords="offset points", xytext=(4, 4), fontsize=8)
    axes.set_yscale("symlog")
    axes.set_xlabel("time, as a multiple of the least possible")
    axes.set_ylabel("refused calls per 1,000 accepted")
    _save(plt, drawing, file)


def _save(plt: Any, drawing: Any, file: Path) -> None:
    drawing.tight_layout()
    drawing.savefig(file, dpi=DPI, metadata={"Software": None})
    plt.close(drawing)
