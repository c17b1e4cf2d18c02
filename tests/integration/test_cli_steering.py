"""What comes from others is shown as it is: it neither marks up a table nor steers a terminal, nor forges a line."""

import json

import pytest

from tests.command_line import CommandLine
from tests.integration.steps import send, settle
from worker.entries import Entry
from worker.ledger import ledger

MARKED = "[red]x[/red] [link=http://evil.example]y[/link] :boom:"
STEERING = "a\x1b[2J\x1b]0;title\x07\nforged  accepted\r\u202e\x9b31mb"
SHOWN = "a\ufffd[2J\ufffd]0;title\ufffd\ufffdforged  accepted\ufffd\ufffd\ufffd31mb"


@pytest.fixture
def invitation(cli: CommandLine) -> str:
    """One in whose order and reasons everything stands that a record of an older version may hold."""
    ledger().accept([Entry("i" * 32, "shop_nl", "shop_nl", MARKED + STEERING, "{}", 0, 60_000)])
    settle("i" * 32, state="rejected", reason=STEERING + MARKED)
    return "i" * 32


@pytest.mark.parametrize("command", [("show",), ("list",), ("show", "--json"), ("list", "--json")])
def test_one_invitation(cli: CommandLine, invitation: str, command: tuple[str, ...]) -> None:
    name, *options = command
    ended = cli(name, *[invitation] * (name == "show"), *options)

    assert (ended.code, ended.err) == (0, "")
    between = "\t" * 6 if command == ("list",) else ""
    assert "".join(letter for letter in ended.out if letter != "\n" and not letter.isprintable()) == between
    if options:
        told = ended.data[0] if name == "list" else ended.data
        assert (told["order"], told["reason"]) == (MARKED + STEERING, STEERING + MARKED)
    else:
        assert MARKED + SHOWN in ended.out
        assert SHOWN + MARKED in ended.out
        assert [line for line in ended.out.splitlines() if line.startswith("forged")] == []


def test_on_a_terminal_only_our_own_colours_steer(cli: CommandLine, invitation: str) -> None:
    code, shown = cli.on_terminal("list")

    assert code == 0
    assert "[2J" in shown
    assert "\x1b[2J" not in shown
    assert "\x1b]" not in shown
    assert "[/red]" in shown


def test_the_reason_of_a_pause(cli: CommandLine) -> None:
    cli("pause", "shop_nl", "--reason", f"{MARKED}{STEERING}")

    told = cli("status")

    assert f"{MARKED}{SHOWN}" in told.out


def test_a_job_that_is_printed_to_be_mended(cli: CommandLine) -> None:
    job = {"account": "shop_nl", "email": "jane@example.com", "order": STEERING}
    cli.write("job.json", json.dumps(job))
    cli.write("bad.json", f"no JSON {STEERING}")
    refused = [json.loads(cli("send", file, "--json").out)["id"] for file in ("job.json", "bad.json")]

    as_json, as_text = (cli("show", invitation, "--job") for invitation in refused)

    assert as_json.data == job
    assert as_text.out == "no JSON a\ufffd[2J\ufffd]0;title\ufffd\nforged  accepted\n\ufffd\ufffd31mb\n"


def test_a_large_job_from_the_command_line_is_refused_and_kept(cli: CommandLine) -> None:
    line = json.dumps({"account": "shop_nl", "email": "jane@example.com", "language": "x" * 65_536})
    cli.write("large.json", line)
    cli.write("large.jsonl", line + "\n" + json.dumps({"account": "shop_nl", "email": "joe@example.com"}) + "\n")
    cli.write("large.csv", f"account,email,order\nshop_nl,jim@example.com,{'x' * 70_000}\nshop_nl,jo@example.com,1\n")

    sent, lines, cells = cli("send", "large.json"), cli("import", "large.jsonl"), cli("import", "large.csv")

    assert (sent.code, lines.code, cells.code) == (2, 2, 2)
    assert "job: expected at most 64 KiB of JSON" in sent.err
    assert lines.out == "1 accepted, 0 already known, 1 refused\n"
    assert cells.out == "1 accepted, 0 already known, 1 refused\n"
    assert send(cli, "1")
