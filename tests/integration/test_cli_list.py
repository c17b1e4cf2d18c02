"""`invitations list`: filters, pages, and what a pipe gets."""

import os
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.command_line import ROOT, CommandLine
from tests.integration.steps import send, settle
from worker.connection import redis
from worker.ledger import ledger


def ids(cli: CommandLine, *arguments: str) -> list[str]:
    return [each["id"] for each in cli("list", "--json", *arguments).data]


def test_an_order_is_found_whatever_became_of_it(cli: CommandLine) -> None:
    done, waits, _ = send(cli, "1001"), send(cli, "1001", "portal"), send(cli, "10011")
    settle(done, state="accepted")

    assert set(ids(cli, "--order", "1001")) == {done, waits}
    assert ids(cli, "--order", "1001", "--state", "accepted") == [done]
    assert ids(cli, "--order", "100") == []


def test_a_reason_is_found_by_a_part_of_it_in_any_case(cli: CommandLine) -> None:
    old, _ = send(cli, "1"), send(cli, "2")
    settle(old, state="rejected", reason="The Order is too old")

    assert ids(cli, "--reason", "order is") == [old]


def test_what_changed_in_a_time_is_listed(cli: CommandLine) -> None:
    first = send(cli, "1")
    settle(first, state="failed", reason="x")
    between = ledger().now() + 1
    while ledger().now() <= between:
        time.sleep(0.001)
    second, third = send(cli, "2"), send(cli, "3")
    settle(second, state="accepted", sends_in_ms=86_400_000)
    moment = f"{between / 1000:.3f}"
    at = subprocess.check_output(["date", "-u", "-d", f"@{moment}", "+%Y-%m-%dT%H:%M:%S.%3N+00:00"], text=True).strip()

    assert ids(cli, "--until", at) == [first]
    assert set(ids(cli, "--since", at)) == {second, third}
    assert ids(cli, "--since", at, "--state", "failed") == []
    assert len(ids(cli, "--since", "2h")) == 3
    assert ids(cli, "--until", "2h") == []


def test_page_after_page_gives_each_once_in_one_order(cli: CommandLine) -> None:
    made = [send(cli, str(number), ("shop_nl", "portal")[number % 2]) for number in range(9)]
    settle(made[0], state="failed")
    settle(made[2], state="accepted", sends_in_ms=86_400_000)
    settle(made[4], state="accepted")
    at_once = ids(cli)

    pages: list[list[dict[str, Any]]] = []
    cursor: list[str] = []
    while page := cli("list", "--json", "--limit", "2", *cursor).data:
        pages.append(page)
        cursor = ["--after", page[-1]["cursor"]]

    assert [each["id"] for page in pages for each in page] == at_once
    assert [len(page) for page in pages] == [2, 2, 2, 2, 1]
    assert at_once[:3] == [made[4], made[2], made[0]]


def test_a_terminal_is_told_how_the_next_page_is_asked_for(cli: CommandLine) -> None:
    for order in ("1", "2"):
        send(cli, order)
    last = cli("list", "--limit", "1", "--json").data[0]["cursor"]

    assert f"There are more: add --after {last}" in cli.on_terminal("list", "--limit", "1")[1]
    assert "There are more" not in cli.on_terminal("list", "--limit", "2")[1]


def test_a_pipe_gets_lines_with_tabs_and_no_headings(cli: CommandLine) -> None:
    lost, waits = send(cli, "a b"), send(cli, "2")
    settle(lost, state="rejected", reason="the order is too old")

    rows = [line.split("\t") for line in cli.process("list").out.splitlines()]

    assert [[row[0], row[1], row[2], row[3], row[6]] for row in rows] == [
        [lost, "shop_nl", "a b", "rejected", "the order is too old"],
        [waits, "shop_nl", "2", "queued", ""],
    ]


@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["status"], ["--help"], ["list", "--help"]])
def test_a_reader_that_goes_away_is_no_error(cli: CommandLine, arguments: list[str]) -> None:
    send(cli, "1")
    ours, theirs = os.pipe()
    os.close(ours)

    ran = subprocess.run(
        [sys.executable, "-m", "ops.cli", *arguments],
        stdout=theirs,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        timeout=60,
    )
    os.close(theirs)

    assert (ran.returncode, ran.stderr) == (141, b"")


def test_a_cursor_that_is_none_is_bad_usage(cli: CommandLine) -> None:
    ended = cli("list", "--after", "x")

    assert (ended.code, ended.out) == (2, "")
    assert "Invalid value for --after: expected a cursor, as `list --json` names it" in ended.err


def test_what_moves_between_shelves_is_listed_once(cli: CommandLine) -> None:
    begun = send(cli, "1")
    settle(begun, state="failed")
    redis().zadd("invitations:state:shop_nl:accepted", {begun: 1})

    assert ids(cli) == [begun]
