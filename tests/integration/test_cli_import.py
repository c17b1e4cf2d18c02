"""`invitations import`: counts, line numbers, what is kept, and what happens when Redis goes away."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

import tasks.enqueue
from tasks.enqueue import Summary
from tests.command_line import CommandLine
from worker.records import Records
from worker.vault import Vault

SHOWN = 20


def lines(numbers: Iterable[int], account: str = "portal") -> str:
    return "".join(
        json.dumps({"account": account, "email": f"c{number}@example.com", "order": str(number)}) + "\n"
        for number in numbers
    )


def test_every_line_is_enqueued_once_however_often_it_is_imported(cli: CommandLine, real_redis: Redis) -> None:
    file = cli.write("orders.jsonl", lines(range(1_234)))

    first, again = cli("import", file, "--json"), cli("import", file)

    assert (first.code, first.err) == (0, "")
    assert first.data == {"accepted": 1_234, "known": 0, "suppressed": 0, "refused": 0, "refused_lines": []}
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

    def breaks_off(jobs: Iterable[Any]) -> Summary:
        batches.append(1)
        if len(batches) == 3:
            raise trouble
        return tasks.enqueue.enqueue_many(jobs)

    with monkeypatch.context() as patch:
        patch.setattr("ops.cli.importing.enqueue_many", breaks_off)
        broken = cli("import", file)
    again = cli("import", file, "--json")

    assert (broken.code, broken.out) == (code, "")
    assert broken.err == f"{why}1000 lines went in. Run it again for the others: nothing is doubled.\n"
    assert again.data == {"accepted": 200, "known": 1_000, "suppressed": 0, "refused": 0, "refused_lines": []}


def test_a_bar_is_shown_on_a_terminal_and_wiped_at_the_end(cli: CommandLine) -> None:
    code, shown = cli.on_terminal("import", cli.write("orders.jsonl", lines(range(600))))

    assert code == 0
    assert "600 lines" in shown
    assert shown.endswith("600 accepted, 0 already known, 0 refused\r\n")
