"""`invitations accounts add` and `check`: from nothing to an account that works, and no secret in the file."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from stat import S_IMODE

import pytest

from config.accounts_file import load_accounts
from config.outside import outside
from config.settings import load_settings
from ops.simulator import RunningSimulator
from tests.command_line import ACCOUNTS, CommandLine, Ended
from tests.support import free_port

SECRET = "canary-secret"
VARIABLE = "INVITATIONS_ACCOUNTS__SHOP_NEW__CODE"
SHOP = ("accounts", "add", "--provider", "webwinkelkeur", "--name", "shop_new", "--shop-id", "7")


@pytest.fixture(name="simulator", scope="module")
def running_simulator() -> Iterator[RunningSimulator]:
    with RunningSimulator() as running:
        yield running


@pytest.fixture
def secrets(cli: CommandLine) -> Path:
    """The secrets folder."""
    folder = cli.folder / "secrets"
    folder.mkdir()
    cli.set("SECRETS_DIR", str(folder))
    return folder


def file_of(cli: CommandLine) -> Path:
    return cli.folder / "accounts.toml"


def at(simulator: RunningSimulator) -> tuple[str, str]:
    return "--base-url", simulator.url


def add(cli: CommandLine, *options: str, stdin: str = f"{SECRET}\n") -> Ended:
    """With the secret on standard input. It is never said."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", StringIO(stdin))
        ended = cli(*SHOP, *options)
    assert "canary" not in ended.out + ended.err
    return ended


def test_an_account_is_added_at_the_end_of_the_file_and_its_secret_told_by_variable(
    cli: CommandLine, simulator: RunningSimulator
) -> None:
    before = f"# ours\n{ACCOUNTS}  # the end".replace("\n", "\r\n")
    cli.write("accounts.toml", before)
    file_of(cli).chmod(0o640)

    ended = add(
        cli, "--code", "-", "--limit", "60/minute", "--burst=5", "--expires-after", "2 d", *at(simulator), "--json"
    )

    assert (ended.code, ended.err) == (0, "")
    assert ended.data == {
        "account": "shop_new",
        "provider": "webwinkelkeur",
        "file": str(file_of(cli)),
        "secret_files": [],
        "variables_to_set": [VARIABLE],
        "credentials": "the provider takes them",
    }
    added = (
        '\n\n[accounts.shop_new]\nprovider = "webwinkelkeur"\nshop_id = 7\nlimit = "60/minute"\nburst = 5\n'
        f'expires_after = "2 d"\nbase_url = "{simulator.url}"\n'
    )
    assert file_of(cli).read_bytes().decode() == before + added.replace("\n", "\r\n")
    assert S_IMODE(file_of(cli).stat().st_mode) == 0o640
    assert [path.name for path in cli.folder.iterdir()] == ["accounts.toml"]


def test_without_its_variable_nothing_starts_and_with_it_the_account_is_there(cli: CommandLine) -> None:
    assert add(cli, "--code", "-", "--offline").code == 0
    assert f"accounts.shop_new.code (or {VARIABLE}): is required" in cli("accounts").err

    cli.set(VARIABLE.removeprefix("INVITATIONS_"), SECRET)

    told = cli("accounts", "--json").data["accounts"]
    assert list(told) == ["shop_nl", "portal", "reviews", "shop_new"]


def test_a_secret_is_left_to_a_variable_where_that_is_asked_for(cli: CommandLine, secrets: Path) -> None:
    ended = add(cli, "--code", "-", "--secret-to", "variable", "--offline")

    assert ended.code == 0
    assert VARIABLE in ended.out
    assert list(secrets.iterdir()) == []


@pytest.mark.parametrize("option", [["--secret-to", "file"], []], ids=["asked for", "as the folder is there"])
def test_a_secret_goes_into_a_file_that_its_owner_alone_may_read_and_the_account_works(
    cli: CommandLine, simulator: RunningSimulator, secrets: Path, option: list[str]
) -> None:
    ended = cli.process(*SHOP, "--code", "-", *option, *at(simulator), stdin=SECRET.encode())

    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        f"shop_new was added to {file_of(cli)}.\n"
        "Credentials: the provider takes them.\n"
        f"{secrets / VARIABLE} holds the secret; its owner alone may read it, so let the workers run as that user.\n"
        "Restart workers and beat: they read the accounts at their start.\n"
    )
    assert (secrets / VARIABLE).read_text() == f"{SECRET}\n"
    assert S_IMODE((secrets / VARIABLE).stat().st_mode) == 0o600
    assert cli.process("accounts", "check", "shop_new", "--json").data == {
        "ok": True,
        "accounts": {"shop_new": {"level": "ok", "found": "the provider takes them", "advice": ""}},
    }


def test_a_secret_of_a_variable_is_taken_from_there(cli: CommandLine, simulator: RunningSimulator) -> None:
    cli.set(VARIABLE.removeprefix("INVITATIONS_"), SECRET)

    ended = add(cli, *at(simulator), stdin="")

    assert ended.code == 0
    assert f"It takes {VARIABLE} (environment): set that where workers and beat run, too.\n" in ended.out
    assert "canary" not in file_of(cli).read_text().partition("shop_new")[2]


@pytest.mark.parametrize("options", [["--code", SECRET], [f"--code={SECRET}"]])
def test_a_secret_on_the_command_line_is_refused(cli: CommandLine, options: list[str]) -> None:
    ended = add(cli, *options)

    assert (ended.code, ended.out) == (2, "")
    why = "--code: it would be seen in the list of processes: leave it out on a terminal to be asked for it"
    assert f"{why}, set {VARIABLE}, or give --code - and" in ended.err
    assert file_of(cli).read_text() == ACCOUNTS


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            ["--provider", "webwinkelker"],
            "--provider: expected one of feedbackcompany, trustprofile, webwinkelkeur, wemasy;",
        ),
        (["--provider", "webwinkelker"], "did you mean webwinkelkeur?"),
        (["--name", "Shop"], "--name: expected small letters, digits and _ only, such as shop_nl"),
        (["--name", "shop_nl"], "accounts.toml:2: change it there"),
        (["--shop-idd", "7"], "--shop-idd: is no field of an account of this provider; did you mean --shop-id?"),
        (["--limit"], "--limit: expected a value"),
        (["--limit", "--burst", "5"], "--limit: expected a value"),
        ([SECRET], "expected options, such as --shop-id 1"),
        (["--shop-id", "x"], "--shop-id expected a whole number; --code is required: leave it out on a terminal"),
        (
            ["--code", "-", "--timeout", "90"],
            "accounts.toml:21: accounts.shop_new.timeout: expected less than INVITATIONS_LEASE",
        ),
        (
            ["--code", "-", "--limit-group", "acme", "--burst", "3"],
            "accounts.shop_new.burst: expected the same as accounts.reviews.burst",
        ),
        (["--secret-to", "file"], "--secret-to: expected INVITATIONS_SECRETS_DIR to name a folder"),
    ],
)
def test_what_cannot_be_added_says_why_and_changes_nothing(cli: CommandLine, options: list[str], expected: str) -> None:
    ended = add(cli, *options, "--offline")

    assert (ended.code, ended.out) == (2, "")
    assert expected in ended.err
    assert file_of(cli).read_text() == ACCOUNTS


def test_an_account_that_variables_make_is_there_already(cli: CommandLine) -> None:
    cli.set("ACCOUNTS__SHOP_NEW__PROVIDER", "wemasy")

    assert "shop_new is there already, by INVITATIONS_ACCOUNTS__SHOP_NEW__PROVIDER (environment)" in add(cli).err


def test_a_file_that_is_no_toml_is_mended_first(cli: CommandLine) -> None:
    cli.write("accounts.toml", "[accounts\n")

    ended = add(cli, "--code", "-", "--offline")

    assert ended.code == 2
    assert "accounts.toml:1:10: " in ended.err
    assert file_of(cli).read_text() == "[accounts\n"


def test_several_are_added_before_their_secrets_are_set(cli: CommandLine) -> None:
    assert [add(cli, "--name", name, "--code", "-", "--offline").code for name in ("one", "two")] == [0, 0]

    told = cli("accounts").err
    assert [told.count(f"accounts.{name}.code (or ") for name in ("one", "two")] == [1, 1]


def test_credentials_that_the_provider_refuses_add_nothing(
    cli: CommandLine, simulator: RunningSimulator, secrets: Path
) -> None:
    ended = add(cli, "--code", "-", "--secret-to", "file", *at(simulator), stdin="wrong-canary\n")

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("shop_new was not added: the provider does not know this shop_id and code")
    assert file_of(cli).read_text() == ACCOUNTS
    assert list(secrets.iterdir()) == []


def test_a_provider_that_is_not_reached_adds_nothing_and_what_can_be_changed_is_told(cli: CommandLine) -> None:
    ended = add(cli, "--code", "-", "--base-url", f"http://127.0.0.1:{free_port()}")

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.endswith(
        "Run this again when that is mended; with --base-url another address is asked, such as a simulator's, and with"
        " --offline it is added without asking the provider.\n"
    )
    assert file_of(cli).read_text() == ACCOUNTS


def test_the_help_says_where_the_secrets_folder_is_named(cli: CommandLine) -> None:
    assert "INVITATIONS_SECRETS_DIR" in cli("accounts", "add", "--help").out


def test_without_redis_nobody_can_be_asked_and_offline_adds_it(cli: CommandLine) -> None:
    cli.take_redis_away()
    refused = add(cli, "--code", "-")
    assert refused.code == 1
    assert refused.err == (
        "shop_new was not added: Redis does not answer; check INVITATIONS_REDIS_URL and that the server runs."
        " Or add --offline: then nobody is asked.\n"
    )
    assert file_of(cli).read_text() == ACCOUNTS

    assert add(cli, "--code", "-", "--offline").code == 0


def test_where_no_call_tells_it_is_added_and_said(cli: CommandLine, simulator: RunningSimulator) -> None:
    cli.set("ACCOUNTS__SECOND__TOKEN", "canary-token")

    ended = cli("accounts", "add", "--provider", "wemasy", "--name", "second", *at(simulator))

    assert ended.code == 0
    told = "Credentials: wemasy has no call that tells and invites nobody; no delivery passed yet.\n"
    assert told in ended.out


def test_a_file_that_cannot_be_written_leaves_no_secret_behind(cli: CommandLine, secrets: Path) -> None:
    cli.write("plain", "")
    cli.set("ACCOUNTS_FILE", str(cli.folder / "plain" / "accounts.toml"))

    ended = add(cli, "--code", "-", "--offline", "--secret-to", "file")

    assert ended.code == 1
    assert "; nothing was added\n" in ended.err
    assert list(secrets.iterdir()) == []


def test_a_change_meanwhile_is_not_written_over(
    cli: CommandLine, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.set(VARIABLE.removeprefix("INVITATIONS_"), SECRET)
    monkeypatch.setattr("ops.cli.accounts_add._asked", lambda account: cli.write("accounts.toml", "# another's\n"))

    ended = cli(*SHOP)

    assert (ended.code, ended.err.endswith("was changed meanwhile, nothing was added: run this again\n")) == (1, True)
    assert file_of(cli).read_text() == "# another's\n"
    assert list(secrets.iterdir()) == []


def test_the_first_account_makes_file_and_folder(cli: CommandLine) -> None:
    cli.set("ACCOUNTS_FILE", "config/mine.toml")

    assert add(cli, "--code", "-", "--offline").code == 0

    assert (cli.folder / "config" / "mine.toml").read_text() == (
        '[accounts.shop_new]\nprovider = "webwinkelkeur"\nshop_id = 7\n'
    )


def test_on_a_terminal_it_asks_for_what_lacks_and_asks_again_where_an_answer_is_none(
    cli: CommandLine, simulator: RunningSimulator
) -> None:
    code, shown = cli.dialog(
        "accounts",
        "add",
        *at(simulator),
        answers=[
            ("provider: ", "webwinkel"),
            ("There is none of that name; did you mean webwinkelkeur?\r\nprovider: ", "webwinkelkeur"),
            ("name, by which jobs call it: ", "shop_nl"),
            ("change it there\r\nname, by which jobs call it: ", "shop_new"),
            ("shop_id: ", "seven"),
            ("shop_id: expected a whole number\r\nshop_id: ", "7"),
            ("code (not shown): ", SECRET),
        ],
    )

    assert code == 0, shown
    assert "canary" not in shown
    assert f"Set {VARIABLE} to the secret" in shown
    assert file_of(cli).read_text().startswith(f"{ACCOUNTS}\n[accounts.shop_new]\n")


@pytest.mark.parametrize(
    "answers",
    [
        [("access_token (not shown, Enter for none): ", SECRET)],
        [
            ("access_token (not shown, Enter for none): ", ""),
            ("client_id (Enter for none): ", "client"),
            ("client_secret (not shown, Enter for none): ", SECRET),
        ],
    ],
    ids=["token", "client"],
)
def test_what_may_be_left_out_is_asked_for_only_while_the_account_cannot_do_without(
    cli: CommandLine, answers: list[tuple[str, str]]
) -> None:
    options = ("--provider", "feedbackcompany", "--name", "second", "--offline")

    code, shown = cli.dialog("accounts", "add", *options, answers=answers)

    assert code == 0, shown
    assert shown.count("not shown") + shown.count("client_id") == len(answers)


def test_a_provider_from_outside_is_added_by_the_fields_of_its_model(
    cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "site" / "acme-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[invitations.providers]\nacme_header = tests.outside.acme_invitations.header:AcmeHeader\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    cli.set("ACCOUNTS__NEWS__TOKEN", SECRET)
    outside.cache_clear()
    try:
        ended = cli("accounts", "add", "--provider", "acme_header", "--name", "news", "--location", "5", "--offline")
        told = load_accounts(load_settings(accounts_file=file_of(cli)))["news"].model_dump()
    finally:
        outside.cache_clear()

    assert (ended.code, ended.err) == (0, "")
    assert (told["provider"], told["location"], told["token"].get_secret_value()) == ("acme_header", 5, SECRET)


def test_check_tries_each_and_ends_with_1_where_one_is_refused(cli: CommandLine, simulator: RunningSimulator) -> None:
    for name in ("SHOP_NL", "PORTAL", "REVIEWS"):
        cli.set(f"ACCOUNTS__{name}__BASE_URL", simulator.url)
    cli.set("ACCOUNTS__REVIEWS__CLIENT_SECRET", "wrong-canary")

    ended, told = cli("accounts", "check"), cli("accounts", "check", "--json")

    assert (ended.code, told.code) == (1, 1)
    assert ended.out.splitlines()[1].split("  ")[0] == "ok"
    assert {name: one["level"] for name, one in told.data["accounts"].items()} == {
        "shop_nl": "ok",
        "portal": "unknown",
        "reviews": "problem",
    }
    assert told.data["accounts"]["reviews"]["advice"].endswith("then: invitations resume reviews")
    assert "canary" not in ended.out + ended.err + told.out
    assert cli("accounts", "check", "shop_nl").code == 0
    assert "no account is named 'shop'; there are: portal, reviews, shop_nl" in cli("accounts", "check", "shop").err
