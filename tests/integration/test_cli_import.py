"""`invitations import`: counts, line numbers, what is kept, and what happens when Redis goes away."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from subprocess import PIPE
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from tasks.acceptance import Acceptance, Accepted
from tests.command_line import ROOT, CommandLine
from tests.support import wait_until
from worker.records import Records
from worker.vault import Vault

SHOWN = 20
NONE_KNOWN: dict[str, Any] = {"known_states": {}, "refused_lines": []}


def lines(numbers: Iterable[int], account: str = "portal") -> str:
    return "".join(
        json.dumps({"account": account, "email": f"c{number}@example.com", "order": str(number)}) + "\n"
        for number in numbers
    )


def test_every_line_is_enqueued_once_however_often_it_is_imported(cli: CommandLine, real_redis: Redis) -> None:
    file = cli.write("orders.jsonl", lines(range(1_234)))

    first, again = cli("import", file, "--json"), cli("import", file)

    assert (first.code, first.err) == (0, "")
    assert first.data == {"accepted": 1_234, "known": 0, "suppressed": 0, "refused": 0, **NONE_KNOWN}
    assert (again.code, again.out, again.err) == (0, "0 accepted, 1234 already known, 0 refused\n", "")
    assert Records(real_redis).count("portal", "queued") == 1_234


def test_refused_lines_are_named_kept_and_stop_nothing(cli: CommandLine) -> None:
    text = lines([1]) + '{"account": "portal", "email": "canary"}\n\n{"account"\n' + lines([2])

    ended = cli("import", cli.write("orders.jsonl", text))

    assert (ended.code, ended.out) == (2, "2 accepted, 0 already known, 2 refused\n")
    assert ended.err.splitlines() == [
        "  line 2: email: expected an e-mail address, such as jane@example.com",
        "  line 4: job: is not valid JSON",
        "Refused jobs are kept with their faults: invitations list --state refused",
        "To mend one and send it again: invitations show ID --job > job.json",
    ]
    kept = cli("list", "--state", "refused", "--json").data
    assert {(each["account"], each["reason"]) for each in kept} == {
        ("portal", "email: expected an e-mail address, such as jane@example.com"),
        ("-", "job: is not valid JSON"),
    }


def test_a_table_of_a_spreadsheet_is_read(cli: CommandLine, real_redis: Redis) -> None:
    table = (
        "Email;Order;Full name;Delay;Phone numbers\r\n"
        'renee@example.com;1;Renée;5 days;"+316;+317"\r\n'
        "short@example.com;2\r\n"
        "jane@example.com;3;Jane;;\r\n"
    )

    ended = cli(
        "import",
        cli.write("orders.csv", table.encode("windows-1252")),
        "--account",
        "shop_nl",
        "--encoding",
        "windows-1252",
        "--json",
    )

    assert ended.code == 2
    assert ended.data == {
        "accepted": 2,
        "known": 0,
        "suppressed": 0,
        "refused": 1,
        "known_states": {},
        "refused_lines": [
            {
                "line": 3,
                "faults": [{"field": "line", "problem": "expected 5 columns, as in the header, found 2"}],
            }
        ],
    }
    jobs = [json.loads(Vault().open(record.job)) for record in Records(real_redis).latest(["shop_nl"], ["queued"], 10)]
    assert sorted(jobs, key=lambda job: str(job["order"])) == [
        {
            "account": "shop_nl",
            "email": "renee@example.com",
            "order": "1",
            "customer": {"full_name": "Renée", "phone_numbers": ["+316", "+317"]},
            "delay": {"amount": 5, "unit": "days"},
        },
        {"account": "shop_nl", "email": "jane@example.com", "order": "3", "customer": {"full_name": "Jane"}},
    ]
    [refused] = Records(real_redis).latest(["shop_nl"], ["refused"], 10)
    assert refused.job == "short@example.com;2"
    assert [fault["field"] for fault in refused.faults] == ["line"]


def test_the_wrong_encoding_refuses_lines_instead_of_sending_garbled_names(cli: CommandLine) -> None:
    table = "account,email,full_name\nshop_nl,a@example.com,Renée\nshop_nl,b@example.com,Jane\n"

    ended = cli("import", cli.write("orders.csv", table.encode("windows-1252")))

    assert (ended.code, ended.out) == (2, "1 accepted, 0 already known, 1 refused\n")
    assert "  line 2: expected another --encoding" in ended.err


def test_of_many_refused_lines_the_first_are_shown_and_all_are_in_the_json(cli: CommandLine) -> None:
    file = cli.write("orders.jsonl", lines([1]) + "x\n" * 700 + lines([2]))

    in_words, as_json = cli("import", file), cli("import", file, "--json")

    shown = in_words.err.splitlines()
    assert [line.split(":")[0] for line in shown[:SHOWN]] == [f"  line {number}" for number in range(2, 22)]
    assert shown[SHOWN] == "  and 680 more: --json shows all"
    assert len(shown) == SHOWN + 3
    assert as_json.data["refused"] == 700
    assert [line["line"] for line in as_json.data["refused_lines"]] == list(range(2, 702))


def test_a_pipe_can_be_imported(cli: CommandLine) -> None:
    lines_of_json = b'{"email": "a@example.com"}\n'

    ended = cli.process("import", "-", "--format", "jsonl", "--account", "portal", stdin=lines_of_json)

    assert (ended.code, ended.out, ended.err) == (0, "1 accepted, 0 already known, 0 refused\n", "")


@pytest.mark.parametrize("option", [[], ["--dry-run"]])
def test_an_account_that_is_misspelt_is_told_before_a_line_is_read(cli: CommandLine, option: list[str]) -> None:
    ended = cli("import", cli.write("orders.jsonl", '{"email": "a@example.com"}\n'), "--account", "shop_nk", *option)

    assert (ended.code, ended.out) == (2, "")
    assert "no account is named 'shop_nk'; there are: portal, reviews, shop_nl; did you mean shop_nl?" in ended.err
    assert cli("status", "--json").data["refused_unknown_account"] == 0


def test_a_file_with_nothing_in_it_is_no_error(cli: CommandLine) -> None:
    assert cli("import", cli.write("orders.jsonl", "")).out == "0 accepted, 0 already known, 0 refused\n"


@pytest.mark.parametrize(
    ("trouble", "code", "why"),
    [
        (
            RedisConnectionError("canary"),
            1,
            "Redis does not answer; check INVITATIONS_REDIS_URL and that the server runs.\n",
        ),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_a_run_that_breaks_off_says_how_far_it_came_and_can_be_run_again(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, trouble: BaseException, code: int, why: str
) -> None:
    file = cli.write("orders.jsonl", lines(range(1_200)))
    batches = []

    def breaks_off(self: Acceptance, jobs: Sequence[Any], **more: Any) -> list[Accepted]:
        batches.append(1)
        if len(batches) == 3:
            raise trouble
        return accept(self, jobs, **more)

    accept = Acceptance.accept
    with monkeypatch.context() as patch:
        patch.setattr(Acceptance, "accept", breaks_off)
        broken = cli("import", file)
    again = cli("import", file, "--json")

    assert (broken.code, broken.out) == (code, "")
    assert broken.err == f"{why}1000 lines went in. Run it again for the others: nothing is doubled.\n"
    assert again.data == {
        "accepted": 200,
        "known": 1_000,
        "suppressed": 0,
        "refused": 0,
        "refused_lines": [],
        "known_states": {"queued": 1_000},
    }


def test_a_bar_is_shown_on_a_terminal_and_wiped_at_the_end(cli: CommandLine) -> None:
    code, shown = cli.on_terminal("import", cli.write("orders.jsonl", lines(range(600))))

    assert code == 0
    assert "600 lines" in shown
    assert shown.endswith("600 accepted, 0 already known, 0 refused\r\n")


def test_an_import_that_is_killed_midway_is_run_again_and_nothing_is_lost_or_doubled(
    cli: CommandLine, real_redis: Redis
) -> None:
    all_of_them = lines(range(2_500)).encode()
    half = lines(range(1_700)).encode()
    arguments = [sys.executable, "-m", "ops.cli", "import", "-", "--format", "jsonl"]
    with subprocess.Popen(arguments, stdin=PIPE, stdout=PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}) as running:
        try:
            assert running.stdin
            running.stdin.write(half)
            running.stdin.flush()
            wait_until(lambda: Records(real_redis).count("portal", "queued") >= 500, seconds=60, what="some lines")
        finally:
            running.kill()
    went_in = Records(real_redis).count("portal", "queued")

    again = cli.process("import", "-", "--format", "jsonl", "--json", stdin=all_of_them).data

    assert 500 <= went_in <= 1_700
    assert (again["accepted"], again["known"], again["refused"]) == (2_500 - went_in, went_in, 0)
    assert Records(real_redis).count("portal", "queued") == 2_500


def test_a_dry_run_names_every_fault_and_writes_nothing_and_needs_no_redis(cli: CommandLine) -> None:
    cli.take_redis_away()
    text = (
        lines([1])
        + '{"account": "shop_de", "email": "a@example.com"}\n{"account": "reviews", "email": "canary", "delay": 5}\nx\n'
        + lines([2])
        + '{"account": "shop_nl", "email": "a@example.com", "delay": {"amount": 2, "unit": "weekdays"}}\n'
    )

    ended = cli("import", cli.write("orders.jsonl", text), "--dry-run")

    assert (ended.code, ended.out) == (2, "3 lines are valid, 3 are not; nothing was written\n")
    assert [line.split(": ")[:2] for line in ended.err.splitlines()] == [
        ["  line 2", "account"],
        ["  line 3", "email"],
        ["  line 4", "job"],
    ]
    assert "; delay: " in ended.err
    assert "canary" not in ended.err


def test_a_dry_run_says_what_the_import_says_then(cli: CommandLine, real_redis: Redis) -> None:
    text = lines([1]) + "x\n" * 30 + '{"account": "reviews", "email": "a@example.com"}\n'
    file = cli.write("orders.jsonl", text)

    dry = cli("import", file, "--dry-run", "--json").data
    keys = real_redis.keys("*")
    done = cli("import", file, "--json").data

    assert keys == []
    assert (dry["dry_run"], dry["valid"], dry["accepted"]) == (True, 1, 0)
    assert (dry["refused"], dry["refused_lines"]) == (done["refused"], done["refused_lines"])
    assert done["refused"] == 31


def test_a_dry_run_without_faults_is_code_0(cli: CommandLine) -> None:
    ended = cli("import", cli.write("orders.jsonl", lines([1, 2])), "--dry-run")

    assert (ended.code, ended.out, ended.err) == (0, "2 lines are valid, 0 are not; nothing was written\n", "")
    one_of_each = cli("import", cli.write("orders.jsonl", lines([1]) + "x\n"), "--dry-run")
    assert one_of_each.out == "1 line is valid, 1 is not; nothing was written\n"


def test_each_row_is_told_with_its_id_and_state(cli: CommandLine) -> None:
    file = cli.write("orders.jsonl", lines([1]) + "\nx\n")

    [first, refused, summed] = map(json.loads, cli("import", file, "--json", "--rows").out.splitlines())

    assert (first["line"], first["state"], first["created"]) == (1, "queued", True)
    assert cli("show", first["id"], "--json").data["order"] == "1"
    assert (refused["line"], refused["state"], refused["faults"]) == (
        3,
        "refused",
        [{"field": "job", "problem": "is not valid JSON"}],
    )
    assert (summed["accepted"], summed["refused"]) == (1, 1)
    assert cli("import", file, "--rows").code == 2


def test_what_is_known_and_was_cancelled_is_not_taken_for_lined_up(cli: CommandLine) -> None:
    file = cli.write("orders.jsonl", lines([1, 2, 3]))
    cli("import", file)
    cli("cancel", cli("list", "--order", "2", "--json").data[0]["id"])

    ended, told = cli("import", file), cli("import", file, "--json").data

    assert (ended.code, ended.out) == (0, "0 accepted, 3 already known, 0 refused\n")
    assert ended.err == "Of those already known, these ended before and stay so: 1 cancelled\n"
    assert told["known_states"] == {"queued": 2, "cancelled": 1}


def test_standard_input_is_called_so_in_errors(cli: CommandLine) -> None:
    strange = cli.process("import", "-", "--format", "csv", stdin=b"name;size\n1;2\n")
    nameless = cli.process("import", "-")

    assert (strange.code, nameless.code) == (2, 2)
    assert "Invalid value for standard input: its first line names the columns name, size" in strange.err
    assert "Invalid value for --format: expected csv or jsonl: standard input has no name that tells" in nameless.err
