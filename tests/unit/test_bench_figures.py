"""The benchmark's figures become medians, are held against their bounds, and stand in a table."""

import math

import pytest

from ops.bench.figures import BARE, OURS, Bound, Figure, rows
from ops.bench.results import Results, read
from ops.bench.table import markdown, number


def figure(value: float, who: str = OURS, *bounds: Bound, measure: str = "") -> Figure:
    return Figure(3, "jobs", value, "/s", who, bounds, measure=measure)


def test_a_row_holds_the_median_of_each_subject() -> None:
    [row] = rows([figure(1), figure(9), figure(2), figure(5, "Celery")])

    assert (row.values, row.runs, row.unit) == ({OURS: 2, "Celery": 5}, 3, "/s")


@pytest.mark.parametrize(
    ("bound", "limit", "met"),
    [
        (Bound("at most", 100), 100, True),
        (Bound("at most", 99), 99, False),
        (Bound("at least", 101), 101, False),
        (Bound("at least", 0.5, BARE), 100, True),
        (Bound("at least", 1, "peers"), 300, False),
        (Bound("at least", 1, "Python peers"), 90, True),
        (Bound("at least", 1.5, "Celery"), 120, False),
        (Bound("at most", 1, "peers"), 80, False),
        (Bound("at least", 1, "Nobody"), None, None),
    ],
)
def test_a_bound_is_a_number_or_what_others_reached(bound: Bound, limit: float | None, met: bool | None) -> None:
    others = [figure(200, BARE), figure(80, "Celery"), figure(90, "rq"), figure(300, "BullMQ")]

    [row] = rows([figure(100, OURS, bound), *others])

    assert (bound.limit(row), bound.is_met(row), row.is_met) == (limit, met, met)


def test_all_bounds_of_a_row_are_to_be_kept() -> None:
    [row] = rows([figure(100, OURS, Bound("at least", 50), Bound("at least", 150))])

    assert row.is_met is False


def test_the_table_names_bound_figure_and_verdict() -> None:
    figures = [figure(100, OURS, Bound("at least", 1, BARE)), figure(200, BARE), figure(math.inf, "rq")]

    table = markdown(figures, {"machine": "2 cores"}, ["huey (not installed)"])

    assert table == (
        "# What was measured\n\n- machine: 2 cores\n- left out: huey (not installed)\n\n## 3. Throughput\n\n"
        "|  | bound | met | this project | bare requests | rq |\n"
        "| --- | --- | --- | ---: | ---: | ---: |\n"
        "| jobs | ≥ 1 times bare requests = 200 | **no** | 100 /s | 200 /s | not ended |\n"
    )


def test_where_several_things_were_measured_each_subject_has_a_line() -> None:
    bound = Bound("at most", 2)
    figures = [figure(1, measure="a"), figure(3, OURS, bound, measure="b"), figure(7, "rq", measure="a")]

    lines = markdown(figures, {}, []).splitlines()[-4:]

    assert lines == [
        "|  |  | a, /s | b, /s | met |",
        "| --- | --- | ---: | ---: | --- |",
        "| jobs | this project | 1.00 | **3.00** (≤ 2) | **no** |",
        "| jobs | rq | 7.00 |  |  |",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.01234, "0.0123"), (1.0, "1.00"), (12.34, "12.3"), (999.6, "1,000"), (12_345.6, "12,346")],
)
def test_numbers_tell_three_figures(value: float, text: str) -> None:
    assert number(value) == text


def test_results_are_read_as_they_were_written(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("results")
    figures = [figure(1.5, OURS, Bound("at most", 1, "peers"), measure="p50"), figure(math.inf, "rq")]
    results = Results({"machine": "2 cores"}, {"throughput": figures}, ["huey (not installed)"])

    results.write(folder)

    assert read(folder) == results
    assert read(folder / "elsewhere") is None
