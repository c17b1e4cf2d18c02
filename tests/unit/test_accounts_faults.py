"""Faults of accounts name the line and the field, or the variable, that is to be mended, and repeat no value."""

import re
import tomllib
from pathlib import Path

import pytest

from config.accounts_file import load_accounts
from config.errors import ConfigurationError
from config.settings import load_settings

SHOP = '[accounts.shop_nl]\nprovider = "webwinkelkeur"\nshop_id = 1\ncode = "s3cret"\n'


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def faults(text: str | bytes, secrets: Path | None = None) -> list[str]:
    """What is wrong with a file of this text, and with the variables as they are."""
    Path("accounts.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigurationError) as refused:
        load_accounts(load_settings(accounts_file=Path("accounts.toml"), secrets_dir=secrets))
    assert "s3cret" not in str(refused.value)
    return refused.value.faults


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('\n# a comment\n[accounts.a]\nprovider = "wemasy"\n\ntoken = "s3cret s3cret"\n', 6),
        ('[accounts.a]\r\nprovider = "wemasy"\r\ntoken = "s3cret s3cret"\r\n', 3),
        ('\ufeff[accounts.a]\nprovider = "wemasy"\ntoken = "s3cret s3cret"\n', 3),
        ('[accounts]\na.provider = "wemasy"\na.token = "s3cret s3cret"\n', 3),
        ('accounts.a.provider = "wemasy"\naccounts.a.token = "s3cret s3cret"\n', 2),
        ('accounts."a" . \'token\' = "s3cret s3cret"\naccounts.a.provider = "wemasy"\n', 1),
        ('[accounts]\n\na = {provider = "wemasy", token = "s3cret s3cret"}\n', 3),
        ('[ accounts . "a" ]\nprovider = "wemasy"\n"token" = "s3cret s3cret"\n', 3),
        (
            '[accounts.a]\nlimit = """\n[accounts.b]\ntoken = 1\n"""\nprovider = "wemasy"\ntoken = "s3cret s3cret"\n',
            7,
        ),
        ('[accounts.a]\nprovider = "wemasy"\ntoken = """\ns3cret\n\ns3cret"""\n', 3),
        ('[accounts.a]\nprovider = "wemasy"\ntoken = [\n  "s3cret", # ]\n  "s3cret",\n]\n', 3),
        ('[accounts.a] # [accounts.b]\nprovider = "wemasy" # token = 2\ntoken = "s3cret s3cret"\n', 3),
        (SHOP + '[accounts.b]\nprovider = "wemasy"\ntoken = "t"\n[accounts.a]\nprovider = "wemasy"\ntoken = 5', 10),
    ],
)
def test_the_line_of_a_field_is_found_in_whatever_form_it_stands(text: str, line: int) -> None:
    found = [fault for fault in faults(text) if ".token" in fault]

    assert [fault.rpartition(": ")[0] for fault in found] == [f"accounts.toml:{line}: accounts.a.token"]


def test_a_field_that_lacks_is_told_at_the_head_of_its_account_with_the_variable_that_may_give_it() -> None:
    text = f'{SHOP}\n[accounts.portal]\nprovider = "wemasy"\n'

    assert faults(text) == [
        "accounts.toml:6: accounts.portal.token (or INVITATIONS_ACCOUNTS__PORTAL__TOKEN): is required"
    ]


def test_a_fault_of_a_variable_names_the_variable_and_where_it_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "invitations_accounts__shop_nl__burst").write_text("s3cret")
    Path(".env").write_text("INVITATIONS_ACCOUNTS__SHOP_NL__LIMIT=s3cret\n")
    monkeypatch.setenv("INVITATIONS_ACCOUNTS__SHOP_NL__SHOP_ID", "s3cret")

    assert sorted(faults(SHOP, tmp_path / "s")) == [
        "INVITATIONS_ACCOUNTS__SHOP_NL__BURST (secrets folder): expected a whole number",
        "INVITATIONS_ACCOUNTS__SHOP_NL__LIMIT (.env): expected a rate such as"
        ' "60/minute", "20/second", "1000/hour" or "60/6s"',
        "INVITATIONS_ACCOUNTS__SHOP_NL__SHOP_ID (environment): expected a whole number",
    ]


def test_a_secret_that_is_no_text_is_told_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "INVITATIONS_ACCOUNTS__SHOP_NL__CODE").write_bytes(b"s3cret\xff")

    told = faults(SHOP, tmp_path / "s")

    assert told == ["INVITATIONS_ACCOUNTS__SHOP_NL__CODE (secrets folder): expected a text in UTF-8"]


def test_an_account_that_only_a_variable_makes_is_not_blamed_on_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVITATIONS_ACCOUNTS__SHOP_NK__CODE", "s3cret")

    assert faults(SHOP) == [
        "INVITATIONS_ACCOUNTS__SHOP_NK__CODE (environment): accounts.shop_nk.provider"
        ' (INVITATIONS_ACCOUNTS__SHOP_NK__PROVIDER): expected a provider, such as provider = "webwinkelkeur";'
        " the accounts file has no accounts.shop_nk; did you mean shop_nl?"
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "shop_idd = 2",
            "accounts.shop_nl.shop_idd: is not a field of an account of this provider; did you mean shop_id?",
        ),
        ("Limit = 2", "accounts.shop_nl.Limit: is not a field of an account of this provider; did you mean limit?"),
        ("xyz = 2", "accounts.shop_nl.xyz: is not a field of an account of this provider"),
        ('"a\\u001b[2J" = 2', "accounts.shop_nl.a\\x1b[2J: is not a field of an account of this provider"),
    ],
)
def test_a_field_that_is_misspelt_is_told_with_what_was_meant(line: str, expected: str) -> None:
    assert faults(SHOP + line) == [f"accounts.toml:5: {expected}"]


def test_a_provider_that_is_misspelt_is_told_with_what_was_meant() -> None:
    known = "expected the name of a provider: feedbackcompany, trustprofile, webwinkelkeur, wemasy"

    assert faults('[accounts.a]\nprovider = "webwinkelker"\n') == [
        f"accounts.toml:2: accounts.a.provider: {known}; did you mean webwinkelkeur?"
    ]
    assert faults("[accounts.a]\nprovider = 5\n") == [f"accounts.toml:2: accounts.a.provider: {known}"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "[accounts\n",
            "accounts.toml:1:10: expected TOML, such as shop_id = 1 (Expected ']' at the end of a table declaration)",
        ),
        (
            f"{SHOP}limit\n",
            "accounts.toml:5:6: expected TOML, such as shop_id = 1 (Expected '=' after a key in a key/value pair)",
        ),
        (
            f"{SHOP}x = s3cret\n",
            "accounts.toml:5:5: expected TOML, such as shop_id = 1 (Invalid value; a text stands in quotes)",
        ),
        (f"{SHOP}code = 's3cret'", "accounts.toml:5: expected TOML, such as shop_id = 1 (Cannot overwrite a value"),
        (SHOP.encode() + b"x = '\xff'", "accounts.toml:5: expected a text in UTF-8"),
    ],
)
def test_what_is_no_toml_is_told_with_line_and_column(text: str | bytes, expected: str) -> None:
    [fault] = faults(text)

    assert fault.startswith(expected)


@pytest.mark.parametrize("text", ["[accounts\n", SHOP.replace("accounts.", "account.")])
def test_the_secret_of_an_account_whose_table_cannot_be_read_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("INVITATIONS_ACCOUNTS__SHOP_NL__CODE", "s3cret")

    [fault] = faults(text)

    assert fault.startswith("accounts.toml:1")


def test_a_file_that_is_not_there_is_told_and_not_the_secrets_of_its_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVITATIONS_ACCOUNTS__SHOP_NL__CODE", "s3cret")

    with pytest.raises(ConfigurationError) as refused:
        load_accounts(load_settings(accounts_file=Path("acounts.toml")))

    [fault] = refused.value.faults
    assert re.search(r"/acounts\.toml: does not exist; run `invitations accounts add`", fault)


def test_a_file_that_cannot_be_read_says_why() -> None:
    Path("accounts.toml").mkdir()

    with pytest.raises(ConfigurationError) as refused:
        load_accounts(load_settings(accounts_file=Path("accounts.toml")))

    assert refused.value.faults == ["accounts.toml: expected a TOML file that can be read (Is a directory)"]


def test_every_fault_of_the_file_is_told_at_once_what_is_no_account_included() -> None:
    text = f'colour = "s3cret"\n[account.x]\nlimit = 1\n{SHOP}shop = 2\n[accounts]\nx = 5\n'

    assert faults(text) == [
        "accounts.toml:1: colour: expected only tables named [accounts.NAME]",
        "accounts.toml:2: account: expected only tables named [accounts.NAME]; did you mean accounts?",
        "accounts.toml:10: accounts.x: expected only tables named [accounts.NAME]",
        "accounts.toml:8: accounts.shop_nl.shop: is not a field of an account of this provider; did you mean shop_id?",
    ]


def test_a_conflict_of_accounts_is_told_where_it_stands() -> None:
    text = f'{SHOP}timeout = 90\n[accounts.b]\nprovider = "wemasy"\ntoken = "t"\nlimit_group = "g"\nburst = 2\n'

    assert faults(f'{text}[accounts.c]\nprovider = "wemasy"\ntoken = "t"\nlimit_group = "g"\nburst = 3\n') == [
        "accounts.toml:5: accounts.shop_nl.timeout: expected less than INVITATIONS_LEASE_SECONDS (60)",
        "accounts.toml:15: accounts.c.burst: expected the same as accounts.b.burst: they share limit_group",
    ]


def test_a_thousand_accounts_with_a_fault_each_are_looked_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = 0
    parse = tomllib.loads

    def loads(text: str) -> object:
        nonlocal parsed
        parsed += len(text)
        return parse(text)

    monkeypatch.setattr("tomllib.loads", loads)
    text = "".join(f'[accounts.a{n}]\nprovider = "wemasy"\nlimit = "s3cret"\ntoken = "t"\n' for n in range(1000))

    assert len(faults(text)) == 1000

    assert parsed < 3 * len(text)
