"""Lines of files become jobs; a line that cannot be read costs itself alone."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from ops.cli.fields import COLUMNS, delay_of, job_of
from ops.cli.rows import Row, csv_rows, json_rows
from tasks.faults import Unreadable
from tasks.job import Customer, Job

HEADER = "account,email,order\n"


def from_csv(text: str, account: str | None = None) -> list[Row]:
    return list(csv_rows(iter(text.splitlines(keepends=True)), account))


def from_json(text: str, account: str | None = None) -> list[Row]:
    return list(json_rows(iter(text.splitlines(keepends=True)), account))


def test_a_line_with_every_column_makes_a_whole_job() -> None:
    cells = {
        "account": "shop_nl",
        "email": "jane@example.com",
        "order": "1001",
        "language": "nl",
        "full_name": "Jane Doe",
        "first_name": "Jane",
        "last_name": "Doe",
        "phone_numbers": '"+316; +317;"',
        "order_total": "1500.99",
        "products": '"[{""id"": ""1"", ""name"": ""A"", ""url"": ""https://a.example""}]"',
        "reply_to": '"{""task"": ""shop.told"", ""queue"": ""shop""}"',
        "delay": "5 days",
        "reminder": "",
        "reminder_amount": "12",
        "reminder_unit": "weekdays",
        "filtercode": "north",
        "client": "my-shop",
        "platform_version": "2.1",
        "plugin_version": "1.0",
        "invite": "No",
        "idempotency_key": "k",
    }

    rows = from_csv(",".join(cells) + "\n" + ",".join(cells.values()) + "\n")

    job: dict[str, Any] = {
        "account": "shop_nl",
        "email": "jane@example.com",
        "order": "1001",
        "language": "nl",
        "customer": {
            "full_name": "Jane Doe",
            "first_name": "Jane",
            "last_name": "Doe",
            "phone_numbers": ["+316", "+317"],
        },
        "order_total": "1500.99",
        "products": [{"id": "1", "name": "A", "url": "https://a.example"}],
        "reply_to": {"task": "shop.told", "queue": "shop"},
        "delay": {"amount": "5", "unit": "days"},
        "reminder": {"amount": "12", "unit": "weekdays"},
        "filtercode": "north",
        "client": "my-shop",
        "platform_version": "2.1",
        "plugin_version": "1.0",
        "invite": False,
        "idempotency_key": "k",
    }
    assert rows == [Row(2, job)]
    Job.read(job)


def test_there_is_a_column_for_every_field_of_a_job() -> None:
    assert set(Job.model_fields) - {"customer"} <= set(COLUMNS)
    assert set(Customer.model_fields) <= set(COLUMNS)


def test_empty_cells_are_left_out() -> None:
    assert from_csv(HEADER + "shop_nl,jane@example.com, \n")[0].job == {
        "account": "shop_nl",
        "email": "jane@example.com",
    }


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_first_line_tells_what_stands_between_cells_and_may_be_written_freely(delimiter: str) -> None:
    text = delimiter.join(["Account ", '"EMAIL"', "Full Name"]) + "\r\n"

    rows = from_csv(text + delimiter.join(["shop_nl", "jane@example.com", '"Doe, Jane; née X"']) + "\r\n")

    assert rows == [
        Row(
            2,
            {
                "account": "shop_nl",
                "email": "jane@example.com",
                "customer": {"full_name": "Doe, Jane; née X"},
            },
        )
    ]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("\n", "expected a column account and a column email in its first line, or --account"),
        ("email,order\n", "expected a column account in its first line, or --account"),
        ("account,order\n", "expected a column email in its first line"),
        (
            "account,email,colour\n",
            "its first line names the columns colour; those there are: account, email",
        ),
        (
            "account,emial,colour,Order Totl,naam@\n",
            "colour, emial (did you mean email?), (unreadable name), order_totl (did you mean order_total?); those",
        ),
        ("account,email,email\n", "expected each column once"),
    ],
)
def test_a_first_line_that_cannot_be_used_stops_before_anything_is_read(header: str, expected: str) -> None:
    with pytest.raises(typer.BadParameter) as refused:
        from_csv(header + "a,b,c\n")

    assert expected in refused.value.message


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("shop_nl,jane@example.com", "expected 3 columns, as in the header, found 2"),
        ("shop_nl,jane@example.com,1,2", "expected 3 columns, as in the header, found 4"),
        ('shop_nl,"jane@example.com,1', "has a quote that is not closed, or text behind one that is"),
        ('shop_nl,jane@example.com,"1', "has a quote that is not closed, or text behind one that is"),
        ('shop_nl,"jane"@example.com,1', "has a quote that is not closed, or text behind one that is"),
        ("shop_nl,jane@example.com,\N{REPLACEMENT CHARACTER}", "expected another --encoding"),
    ],
)
def test_a_line_that_cannot_be_read_is_kept_as_it_is_and_costs_itself_alone(line: str, problem: str) -> None:
    good = [f"shop_nl,c{number}@example.com,{number}" for number in range(30)]

    rows = from_csv(HEADER + "\n".join([good[0], line, *good[1:]]) + "\n")

    bad = rows.pop(1)
    assert bad.line == 3
    assert isinstance(bad.job, Unreadable)
    assert (bad.job.text, bad.job.account) == (line, None)
    assert bad.job.fault.problem.startswith(problem)
    assert [row.line for row in rows] == [2, *range(4, 33)]
    assert [row.job for row in rows] == [
        {"account": "shop_nl", "email": f"c{number}@example.com", "order": str(number)} for number in range(30)
    ]


def test_a_line_that_cannot_be_read_is_kept_under_the_account_of_the_file() -> None:
    [short] = from_csv("email,order\njane\n", "shop_nl")
    [garbled] = from_json("\N{REPLACEMENT CHARACTER}\n", "shop_nl")

    for row, text in ((short, "jane"), (garbled, "\N{REPLACEMENT CHARACTER}")):
        assert isinstance(row.job, Unreadable)
        assert (row.job.text, row.job.account) == (text, "shop_nl")


def test_a_cell_may_run_over_several_lines_and_hold_quotes() -> None:
    rows = from_csv('account,email,full_name\na,b@example.com,"Jane\n""J""\nDoe"\na,c@example.com,5" x\n')

    assert [row.line for row in rows] == [2, 5]
    assert [row.job["customer"]["full_name"] for row in rows if isinstance(row.job, dict)] == [
        'Jane\n"J"\nDoe',
        '5" x',
    ]


def test_empty_lines_are_no_jobs() -> None:
    assert [row.line for row in from_csv(HEADER + "\n,,\na,b@example.com,1\n\n")] == [4]
    assert [row.line for row in from_json('\n  \n{"account": "a"}\n\n')] == [3]


@pytest.mark.parametrize("rows", [csv_rows, json_rows])
def test_lines_are_read_as_they_are_asked_for(rows: Any) -> None:
    def endless() -> Iterator[str]:
        yield HEADER
        yield from (f'"a",b{number}@example.com,1\n' for number in count())

    read = rows(endless(), None)

    assert len([next(read) for _ in range(1000)]) == 1000


@given(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])))
def test_whatever_one_line_holds_the_others_are_read(garbage: str) -> None:
    good = [f"shop_nl,c{number}@example.com,{number}\n" for number in range(25)]

    rows = list(csv_rows(iter([HEADER, *good[:2], garbage + "\n", *good[2:]]), None))

    jobs = [row.job for row in rows if row.line != 4]
    assert jobs == [
        {"account": "shop_nl", "email": f"c{number}@example.com", "order": str(number)} for number in range(25)
    ]


@given(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])))
def test_whatever_one_line_of_json_holds_the_others_are_read(garbage: str) -> None:
    good = '{"account": "shop_nl"}'

    rows = list(json_rows(iter([good + "\n", garbage + "\n", good + "\n"]), "portal"))

    assert [row.job for row in rows if row.line != 2] == [{"account": "shop_nl"}] * 2


def test_a_line_of_json_is_handed_on_as_it_is() -> None:
    assert from_json('{"account": "a", "order_total": 1.10}\n{"account"\n') == [
        Row(1, '{"account": "a", "order_total": 1.10}'),
        Row(2, '{"account"'),
    ]


def test_a_job_that_names_no_account_gets_that_of_the_file() -> None:
    rows = from_json('{"email": "a"}\n{"account": "own"}\n[1]\n{"x"\n' + "[" * 100_000 + "\n", "shop_nl")

    assert [row.job for row in rows] == [
        {"account": "shop_nl", "email": "a"},
        {"account": "own"},
        "[1]",
        '{"x"',
        "[" * 100_000,
    ]
    assert from_csv("account,email\n,a\nown,b\n", "shop_nl") == [
        Row(2, {"account": "shop_nl", "email": "a"}),
        Row(3, {"account": "own", "email": "b"}),
    ]


@pytest.mark.parametrize("text", ["[\n", '[{"account": "a"}]\n', "{\n"])
def test_one_document_over_many_lines_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="expected one job on each line"):
        from_json(text)


@pytest.mark.parametrize(
    ("text", "delay"),
    [
        ("5 days", ("5", "days")),
        ("1 day", ("1", "days")),
        (" 90MINUTES ", ("90", "minutes")),
        ("2 weekdays", ("2", "weekdays")),
        ("10s", ("10", "seconds")),
        ("15m", ("15", "minutes")),
        ("15 min", ("15", "minutes")),
        ("3h", ("3", "hours")),
        ("5D", ("5", "days")),
        ("5", ("5", "")),
        ("soon", ("", "soons")),
        ("-1 days", ("", "-1 days")),
    ],
)
def test_delays_as_people_write_them(text: str, delay: tuple[str, str]) -> None:
    assert delay_of(text) == dict(zip(("amount", "unit"), delay, strict=True))


@pytest.mark.parametrize(("text", "meant"), [("TRUE", True), ("0", False), ("", None), ("maybe", "maybe")])
def test_yes_and_no_as_people_write_them(text: str, meant: bool | str | None) -> None:
    assert job_of({"invite": text}).get("invite") == meant


def test_a_file_without_a_header_does_not_put_its_first_customer_into_the_error() -> None:
    with pytest.raises(typer.BadParameter) as refused:
        from_csv("shop_nl,Canary@example.com,1\n")

    assert "canary" not in refused.value.message.lower()
