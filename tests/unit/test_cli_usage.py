"""The command line without any Redis: help, and usage errors that say what was expected."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from ops.cli.app import COMMANDS
from ops.cli.fields import COLUMNS
from ops.cli.options import State
from ops.cli.timeline import ENDS
from ops.simulator.provider import WRONG
from ops.simulator.webwinkelkeur import WITHOUT_CONSENT
from tests.command_line import ROOT, CommandLine
from worker.records import STATES

OF_THE_CONTRACT = {
    "send",
    "import",
    "show",
    "list",
    "status",
    "watch",
    "accounts",
    "pause",
    "resume",
    "replay",
    "cancel",
    "forget",
    "suppress",
    "doctor",
    "simulate",
    "demo",
}
HEAVY = {"celery", "kombu", "redis", "pydantic", "tornado", "requests", "rich"}
IMPORTED = f"import sys, ops.cli; print(sorted({HEAVY} & set(sys.modules)))"


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """No Redis behind it, and no accounts file either."""
    command_line = CommandLine("redis://127.0.0.1:1/0", tmp_path, monkeypatch, capsys)
    command_line.set("ACCOUNTS_FILE", str(tmp_path / "none.toml"))
    return command_line


def test_the_commands_are_those_of_the_contract() -> None:
    assert set(COMMANDS) >= OF_THE_CONTRACT


def test_the_states_are_those_of_the_ledger() -> None:
    assert get_args(State) == STATES
    assert ("queued", "delivering", *ENDS) == STATES


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_an_example_of_it(cli: CommandLine, command: str) -> None:
    ended = cli(command, "--help")

    assert (ended.code, ended.err) == (0, "")
    _, _, example = ended.out.partition("Example:\n")
    assert re.match(rf"    .*invitations {command}\b", example)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_the_help_lists_every_command_with_a_line_that_is_not_cut_off(cli: CommandLine, arguments: list[str]) -> None:
    ended = cli(*arguments)

    text = ended.out + ended.err
    for command, (_, summary) in COMMANDS.items():
        assert re.search(rf"^  {command} +{re.escape(summary)}$", text, re.MULTILINE), command
    assert "\x1b" not in text


def test_help_waits_for_nothing_heavy() -> None:
    printed = subprocess.check_output([sys.executable, "-c", IMPORTED], cwd=ROOT, text=True)

    assert printed.strip() == "[]"


def test_the_version_is_printed(cli: CommandLine) -> None:
    ended = cli("--version")

    assert ended.code == 0
    assert re.fullmatch(r"invitations (\d+\.\d+\.\d+|\(not installed: run from its source\))\n", ended.out)


def test_import_explains_every_column(cli: CommandLine) -> None:
    words = set(re.findall(r"\w+", cli("import", "--help").out))

    assert set(COLUMNS) <= words


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["sned"], "No such command 'sned'. Did you mean 'send'?"),
        (["send"], "expected either a FILE (or -), or options such as --account and --email"),
        (["send", "-", "--account", "shop_nl"], "expected either a FILE (or -), or options"),
        (["send", "nowhere.json"], "Invalid value for FILE: cannot be read: No such file or directory"),
        (["send", "--product", "pear"], "Invalid value for --product: expected a JSON object, such as"),
        (["send", "--product", "[]"], "Invalid value for --product: expected a JSON object, such as"),
        (["send", "--delay", "soon"], 'Invalid value for --delay: expected a time such as "5 days"'),
        (["send", "--delay", "5"], 'Invalid value for --delay: expected a time such as "5 days"'),
        (["send", "--reminder", "days 5"], 'Invalid value for --reminder: expected a time such as "5 days"'),
        (["import"], "Missing argument"),
        (["import", "nowhere.csv"], "Invalid value for FILE: cannot be read: No such file or directory"),
        (["import", "."], "Invalid value for --format: expected one, as the file's name ends in none of"),
        (["import", ".", "--format", "csv"], "Invalid value for FILE: cannot be read: Is a directory"),
        (
            ["import", "a.csv", "--encoding", "morse"],
            "Invalid value for --encoding: expected one such as utf-8",
        ),
        (["list", "--state", "lost"], "'lost' is not one of 'queued', 'delivering', 'accepted'"),
        (["list", "--limit", "0"], "'--limit': expected 1 or more"),
        (["list", "--limit", "many"], "'--limit': expected a whole number"),
        (["show", "1", "2"], "Error: got an argument too many; quote a text with spaces"),
        (["watch", "--for", "soon"], "'--for': expected seconds, or a time such as"),
        (["suppress", "ad"], "Invalid value for 'action': 'ad' is not one of 'add', 'remove', 'check'"),
        (["replay"], "expected either ids, or any of --account, --state, --since and --before"),
        (["replay", "0", "--state", "failed"], "expected either ids, or any of --account, --state, --since and"),
        (["replay", "0", "--since", "3h"], "expected either ids, or any of --account, --state, --since and"),
        (["replay", "--state", "sent"], "'sent' is not one of 'rejected', 'failed'"),
        (["cancel"], "expected either ids or --account"),
        (["cancel", "0", "--account", "shop_nl"], "expected either ids or --account"),
        (["simulate", "--fail", "3"], "Invalid value for --fail: expected a number from 0 to 1, got 3.0"),
        (
            ["simulate", "--limit", "many"],
            "Invalid value for --limit: expected a count of at least 1 per time",
        ),
        (
            ["simulate", "--latency", "soon"],
            '\'--latency\': expected a time such as "50ms", "2s", "5m" or "24h"',
        ),
        (["simulate", "--latency", "3h"], "Invalid value for --latency: expected a number from 0 to 3.6e+06"),
        (["simulate", "--day", "20d"], "Invalid value for --day: expected a number from 0.001 to 1e+06"),
        (["watch", "--for", "-1"], "'--for': expected seconds, or a time such as"),
    ],
)
def test_bad_usage_is_code_2_and_says_what_was_expected(cli: CommandLine, arguments: list[str], expected: str) -> None:
    ended = cli(*arguments)

    assert (ended.code, ended.out) == (2, "")
    assert expected in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["canary@example.com"],
        ["list", "--state", "canary@example.com"],
        ["show", "1", "canary@example.com"],
        ["send", "--full-name", "Jane", "--email", "a@example.com", "x", "Canary"],
        ["suppress", "canary@example.com"],
        ["list", "--limit", "canary@example.com"],
    ],
)
def test_bad_usage_repeats_nothing_personal(cli: CommandLine, arguments: list[str]) -> None:
    ended = cli(*arguments)

    assert (ended.code, ended.out) == (2, "")
    assert "canary" not in ended.err.lower()


def test_a_misspelt_setting_is_told_with_the_one_that_is_meant(cli: CommandLine) -> None:
    cli.set("REDIS_URI", "canary")
    cli.set("ACCOUNTS__SHOP_NL__CODE", "canary")
    cli.set("WORKER_SERVICE_HOST", "canary")
    cli.write(".env", "INVITATION_CONCURRENCY=canary\n")

    ended = cli("simulate", "--fail", "3")

    told = [line for line in ended.err.splitlines() if "is no setting" in line]
    assert told == [
        "INVITATIONS_REDIS_URI is no setting, and does nothing: did you mean INVITATIONS_REDIS_URL?",
        "INVITATION_CONCURRENCY is no setting, and does nothing: did you mean INVITATIONS_CONCURRENCY?",
    ]
    assert "canary" not in ended.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("li", "list"),
        ("list --state fa", "failed"),
        ("pause shop", "shop_nl"),
        ("list --account shop", "shop_nl"),
        ("list --un", "--until"),
    ],
)
def test_a_shell_completes_commands_options_states_and_accounts(
    cli: CommandLine, shell: str, typed: str, offered: str
) -> None:
    cli.set("ACCOUNTS_FILE", str(cli.folder / "accounts.toml"))
    line = f"invitations {typed}"
    variables = {
        "_INVITATIONS_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split()) - 1),
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }

    ran = subprocess.run(
        [sys.executable, "-m", "ops.cli"],
        env={**os.environ, **variables, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert re.findall(r"[\w-]+", ran.stdout.replace("_arguments '*: :", ""))[:1] == [offered]


def test_a_reminder_is_not_explained_as_a_delay(cli: CommandLine) -> None:
    shown = " ".join(cli("send", "--help").out.split())

    assert "When the provider reminds the customer" in shown
    assert shown.count("When, counted from now") == 1


def test_the_words_that_the_simulator_heeds_stand_in_its_help(cli: CommandLine) -> None:
    shown = cli("simulate", "--help").out

    assert all(f'"{word}"' in shown for word in (WRONG, f"{WRONG}-permissions", WITHOUT_CONSENT))


@pytest.mark.parametrize("command", [["status"], ["accounts"], ["pause", "shop_nl"], ["watch"]])
def test_a_configuration_that_cannot_be_used_is_code_2_and_says_where(cli: CommandLine, command: list[str]) -> None:
    ended = cli(*command)

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("The configuration cannot be used:\n  - ")
    assert "none.toml: does not exist" in ended.err


def test_what_is_wrong_with_a_setting_is_said_without_its_value(cli: CommandLine) -> None:
    cli.set("REDIS_URL", "http://:canary-password@127.0.0.1")

    ended = cli("status")

    assert ended.code == 2
    assert "INVITATIONS_REDIS_URL: expected an address that begins with redis://" in ended.err
    assert "canary" not in ended.err


@pytest.mark.parametrize(("arguments", "kept"), [([], False), (["--keep"], True)])
def test_demo_runs_the_demo_and_ends_with_its_code(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, arguments: list[str], kept: bool
) -> None:
    asked = []

    def run_demo(keep: bool) -> int:
        asked.append(keep)
        return 1

    monkeypatch.setattr("ops.cli.demo.run_demo", run_demo)

    assert cli("demo", *arguments).code == 1
    assert asked == [kept]
