"""How values are printed: exact times, and nothing that a customer's data could steer."""

import pytest

from ops.cli.output import cell, clean, iso, moment, print_json, print_table, span, table, when

DAY_MS = 86_400_000
NOON_MS = 1_782_907_200_123


def test_times_are_exact_to_the_millisecond() -> None:
    assert iso(NOON_MS) == "2026-07-01T12:00:00.123Z"
    assert iso(0) == "1970-01-01T00:00:00.000Z"
    assert iso(None) is None
    assert moment(NOON_MS) == "2026-07-01 12:00:00 UTC"
    assert moment(None) == ""


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (42_000, "42 s"),
        (60_000, "1 min"),
        (61_499, "1 min 1 s"),
        (3_600_000, "1 h"),
        (2 * DAY_MS + 3 * 3_600_000 + 59_000, "2 d 3 h"),
    ],
)
def test_durations_are_in_their_two_largest_units(ms: int, words: str) -> None:
    assert span(ms) == words


def test_moments_are_told_from_now() -> None:
    assert when(NOON_MS - 3 * DAY_MS - 5_000, NOON_MS) == "3 d ago"
    assert when(NOON_MS + 61_000, NOON_MS) == "in 1 min"
    assert when(NOON_MS, NOON_MS) == "0 s ago"
    assert when(None, NOON_MS) == ""


def test_what_could_steer_a_terminal_is_replaced() -> None:
    assert clean("1001\x1b[2J\r\n\x07é") == "1001\ufffd[2J\ufffd\ufffd\ufffdé"


def test_a_table_in_a_pipe_is_plain_text_with_nothing_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    made = table("id", "reason", "count", numbers=("count",))
    made.add_row(cell("1"), cell("[red]x[/red] :smile: " + "long " * 100), cell(5))
    made.add_row(cell("22"), cell(None), cell("failed"))

    print_table(made)

    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["id", "reason", "count"],
        ["1", "[red]x[/red]", ":smile:", *["long"] * 100, "5"],
        ["22", "failed"],
    ]
    assert all(line == line.rstrip() for line in lines)


def test_json_is_one_plain_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"order": "é\x1b\n"})

    assert capsys.readouterr().out == '{"order": "\\u00e9\\u001b\\n"}\n'
