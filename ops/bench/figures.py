"""Figures and the bounds that they are held against."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Literal

OURS, BARE = "this project", "bare requests"
ELSEWHERE = "BullMQ"
"""The peer that is not written in Python."""


@dataclass(frozen=True, slots=True)
class Bound:
    """At most or at least `value`; times the best figure of the same row among those whom `of` names: `bare`, `peers`,
    `Python peers`, or one by name."""

    kind: Literal["at most", "at least"]
    value: float
    of: str = ""

    def limit(self, row: "Row") -> float | None:
        """The bound as a number, in the unit of the row. None where there is nobody to compare with."""
        if not self.of:
            return self.value
        others = [value for who, value in row.values.items() if _is_among(self.of, who)]
        best = min if self.kind == "at most" else max
        return self.value * best(others) if others else None

    def __str__(self) -> str:
        sign = "≤" if self.kind == "at most" else "≥"
        return f"{sign} {self.value:g} times {self.of}" if self.of else f"{sign} {self.value:,.10g}"

    def is_met(self, row: "Row") -> bool | None:
        """None where there is nobody to compare with."""
        limit, ours = self.limit(row), row.values.get(OURS)
        if limit is None or ours is None:
            return None
        return ours <= limit if self.kind == "at most" else ours >= limit


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure: for which of the goals, what was measured, whose it is, and the value in `unit`.

    Where several things are measured of one, `measure` tells them apart. An infinite value stands for a run that did
    not come to its end. `x` places it on a curve, where it is of one.
    """

    goal: int
    what: str
    value: float
    unit: str = ""
    who: str = OURS
    bounds: tuple[Bound, ...] = ()
    x: float | None = None
    measure: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """The medians of all figures of one kind, by whose they are."""

    goal: int
    what: str
    measure: str
    unit: str
    bounds: tuple[Bound, ...]
    values: dict[str, float]
    runs: int

    @property
    def is_met(self) -> bool | None:
        """Whether ours keeps all of its bounds; None where there is none, or nobody to compare with."""
        met = [kept for bound in self.bounds if (kept := bound.is_met(self)) is not None]
        return all(met) if met else None


def _is_among(those: str, who: str) -> bool:
    if those == "peers":
        return who not in (OURS, BARE)
    if those == "Python peers":
        return who not in (OURS, BARE) and not who.startswith(ELSEWHERE)
    return who == those


def rows(figures: Iterable[Figure]) -> list[Row]:
    """One row for each thing that was measured, in the order of the goals, then of the first figure."""
    kinds: dict[tuple[int, str, str], list[Figure]] = {}
    for figure in figures:
        kinds.setdefault((figure.goal, figure.what, figure.measure), []).append(figure)
    return [_row(those) for _, those in sorted(kinds.items(), key=lambda item: item[0][0])]


def _row(figures: list[Figure]) -> Row:
    values: dict[str, list[float]] = {}
    for figure in figures:
        values.setdefault(figure.who, []).append(figure.value)
    bounds = next((figure.bounds for figure in figures if figure.bounds), ())
    medians = {who: median(those) for who, those in values.items()}
    first, runs = figures[0], max(map(len, values.values()))
    return Row(first.goal, first.what, first.measure, first.unit, bounds, medians, runs)
