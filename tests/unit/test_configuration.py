"""Settings and accounts: a bad value stops the start, named by variable or by file and field, never repeated."""

import re
from pathlib import Path

import pytest

from config.accounts import BaseAccount
from config.accounts_file import load_accounts
from config.errors import ConfigurationError
from config.redis_url import SentinelUrl
from config.schedule import CLOCKS_SECONDS, beat_schedule
from config.settings import Settings, load_settings
from config.units import Rate, parse_duration, parse_rate

GOOD = """
[accounts.shop_nl]
provider = "webwinkelkeur"
shop_id = 1
code = "s3cret"
[accounts.portal]
provider = "wemasy"
limit = "60/minute"
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def settings_with(text: str, **changes: object) -> Settings:
    Path("accounts.toml").write_text(text)
    return load_settings(accounts_file=Path("accounts.toml"), **changes)


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("INVITATIONS_CONCURRENCY", "many", "expected a whole number"),
        ("INVITATIONS_CONCURRENCY", "0", "expected 1 or more"),
        ("INVITATIONS_LOG_FORMAT", "xml", "expected one of 'console' or 'json'"),
        ("INVITATIONS_REDIS_URL", "http://s3cret@host", "redis://, rediss:// or sentinel://"),
        ("INVITATIONS_REDIS_URL", "redis://host:s3cret", "whole numbers"),
        ("INVITATIONS_METRICS_PORT", "70000", "expected 65535 or less"),
        ("INVITATIONS_ENCRYPTION_KEYS", "s3cret", "Fernet keys"),
        ("INVITATIONS_FLOWER_BASIC_AUTH", "s3cret", "NAME:PASSWORD"),
        ("INVITATIONS_FLOWER_BASIC_AUTH", "one:s3cret,two:", "NAME:PASSWORD"),
        ("INVITATIONS_SECRETS_DIR", "nowhere", "a folder that exists"),
        ("INVITATIONS_CA_FILE", "nowhere.pem", "a PEM file that can be read"),
    ],
)
def test_a_bad_setting_is_named_with_what_was_expected(
    variable: str, value: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(ConfigurationError) as refused:
        load_settings()

    assert f"{variable}: " in str(refused.value)
    assert expected in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_every_bad_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVITATIONS_CONCURRENCY", "x")
    monkeypatch.setenv("INVITATIONS_LEASE_SECONDS", "y")

    with pytest.raises(ConfigurationError) as refused:
        load_settings()

    assert len(refused.value.faults) == 2


def test_env_file_and_secrets_folder_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "INVITATIONS_REDIS_URL").write_text("redis://from-secret\n")
    Path(".env").write_text("INVITATIONS_SECRETS_DIR=secrets\nINVITATIONS_CONCURRENCY=7\n")
    monkeypatch.setenv("INVITATIONS_LEASE_SECONDS", "90")

    settings = load_settings()

    assert settings.redis_url.get_secret_value() == "redis://from-secret"
    assert (settings.concurrency, settings.lease_seconds) == (7, 90)


def test_secrets_of_accounts_come_from_file_secret_dotenv_and_environment_in_rising_precedence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "INVITATIONS_ACCOUNTS__SHOP_NL__CODE").write_text("of-secret\n")
    (tmp_path / "s" / "invitations_accounts__portal__token").write_text("of-secret\n")
    Path(".env").write_text("INVITATIONS_ACCOUNTS__PORTAL__TOKEN=of-dotenv\n")
    monkeypatch.setenv("INVITATIONS_ACCOUNTS__PORTAL__LIMIT", "30/minute")

    accounts = load_accounts(settings_with(GOOD, secrets_dir=tmp_path / "s"))

    assert accounts["shop_nl"].code.get_secret_value() == "of-secret"  # type: ignore[attr-defined]
    assert accounts["portal"].token.get_secret_value() == "of-dotenv"  # type: ignore[attr-defined]
    assert accounts["portal"].limit == Rate(30, 60_000)


def test_every_fault_of_every_account_is_named_and_no_value_repeated() -> None:
    text = """
    [accounts.Shop]
    provider = "webwinkelkeur"
    shop_id = "s3cret"
    code = ""
    [accounts.portal]
    provider = "wemasy"
    token = "s3cret"
    base_url = "http://s3cret.example"
    limit = "s3cret"
    expires_after = "s3cret"
    timezone = "Mars/s3cret"
    colour = "s3cret"
    [accounts.reviews]
    provider = "feedbackcompany"
    client_id = "s3cret"
    [accounts.other]
    provider = "s3cret"
    """
    with pytest.raises(ConfigurationError) as refused:
        load_accounts(settings_with(text))

    message = str(refused.value)
    for line, field in (
        (2, "accounts.Shop.name"),
        (4, "accounts.Shop.shop_id"),
        (5, "accounts.Shop.code"),
        (9, "accounts.portal.base_url"),
        (10, "accounts.portal.limit"),
        (11, "accounts.portal.expires_after"),
        (12, "accounts.portal.timezone"),
        (13, "accounts.portal.colour"),
        (14, "accounts.reviews"),
        (18, "accounts.other.provider"),
    ):
        assert f"accounts.toml:{line}: {field}: " in message
    assert "s3cret" not in message


@pytest.mark.parametrize(
    ("line", "field", "expected"),
    [
        ('colour = "red"', "colour", "is not a field of an account of this provider"),
        ("", "token", "is required"),
        ('token = ""', "token", "must not be empty"),
        ("token = 5", "token", "expected a text"),
        ('concurrency = "many"', "concurrency", "expected a whole number"),
        ('timeout = "long"', "timeout", "expected a number"),
        ("timeout = 0", "timeout", "expected more than 0"),
        ('limit_group = "A B"', "limit_group", "expected small letters, digits and _ only"),
    ],
)
def test_a_fault_of_an_account_is_told_in_plain_words(line: str, field: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_accounts(settings_with(f'[accounts.portal]\nprovider = "wemasy"\n{line}'))

    told = [fault for fault in refused.value.faults if f"portal.{field}" in fault]
    or_variable = "" if line else " (or INVITATIONS_ACCOUNTS__PORTAL__TOKEN)"
    place = f"accounts.toml:{3 if line else 1}: accounts.portal.{field}{or_variable}: "
    assert [fault.removeprefix(place) for fault in told] == [expected]


NO_HEADER = "expected letters, digits and signs of ASCII without spaces or line breaks"
TWO_LINES = "expected one line without control characters"
CREDENTIALS = """
[accounts.x]
{fields}
"""
REVIEWS = 'provider = "feedbackcompany"'


@pytest.mark.parametrize("bad", ["s3cret\\r\\nX-Admin: yes", "s3cret\\n", "\\u0000s3cret", "s3cret\\u001b[2J"])
@pytest.mark.parametrize(
    ("fields", "field", "expected"),
    [
        ('provider = "wemasy"\ntoken = "{}"', "token", NO_HEADER),
        (f'{REVIEWS}\naccess_token = "{{}}"', "access_token", NO_HEADER),
        (f'{REVIEWS}\nclient_id = "{{}}"\nclient_secret = "x"', "client_id", TWO_LINES),
        (f'{REVIEWS}\nclient_id = "x"\nclient_secret = "{{}}"', "client_secret", TWO_LINES),
        ('provider = "webwinkelkeur"\nshop_id = 1\ncode = "{}"', "code", TWO_LINES),
        ('provider = "wemasy"\ntoken = "t"\nbase_url = "https://a.example/{}"', "base_url", "such as https://api."),
    ],
)
def test_a_credential_of_two_lines_stops_the_start(fields: str, field: str, expected: str, bad: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_accounts(settings_with(CREDENTIALS.format(fields=fields.format(bad))))

    [fault] = refused.value.faults
    assert re.match(rf"accounts\.toml:\d+: accounts\.x\.{field}: ", fault)
    assert expected in fault
    assert "s3cret" not in fault


@pytest.mark.parametrize("token", ["s3cret s3cret", "s3crét"])
def test_a_token_that_no_header_can_carry_stops_the_start(token: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_accounts(settings_with(f'{GOOD}token = "{token}"'))

    assert "accounts.portal.token" in str(refused.value)
    assert NO_HEADER in str(refused.value)
    assert "s3cr" not in str(refused.value)


@pytest.mark.parametrize("line", ["", 'provider = "s3cret"'])
def test_an_account_without_a_known_provider_is_told_so(line: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"accounts\.portal\.provider.*: expected (the name of )?a provider.*w"
    ) as refused:
        load_accounts(settings_with(f"[accounts.portal]\n{line}"))

    assert "s3cret" not in str(refused.value)


def test_an_accounts_file_that_is_not_there_is_named_in_full(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_accounts(load_settings(accounts_file=Path("nowhere.toml")))

    assert refused.value.faults[0].startswith(
        f"{tmp_path / 'nowhere.toml'}: does not exist; run `invitations accounts add`"
    )


@pytest.mark.parametrize("text", ["", "[accounts", "x = 1", "[accounts]\nshop = 5", "accounts = 5"])
def test_a_file_without_accounts_says_what_belongs_there(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"accounts\.toml"):
        load_accounts(settings_with(text))


def test_a_call_must_end_before_its_lease() -> None:
    with pytest.raises(ConfigurationError, match=r"accounts.shop_nl.timeout: expected less than INVITATIONS_LEASE"):
        load_accounts(settings_with(GOOD + 'token = "t"', lease_seconds=30))


def test_accounts_of_a_limit_group_agree() -> None:
    text = GOOD + 'token = "t"\nlimit_group = "acme"\n[accounts.second]\nprovider = "wemasy"\ntoken = "u"\n'

    with pytest.raises(ConfigurationError, match=r"accounts.second.limit: expected the same as accounts.portal.limit"):
        load_accounts(settings_with(text + 'limit_group = "acme"'))


def test_so_many_accounts_are_compared_with_one_other_each(monkeypatch: pytest.MonkeyPatch) -> None:
    count, asked = 300, 0

    def gate(account: BaseAccount) -> str:
        nonlocal asked
        asked += 1
        return f"group.{account.limit_group}"

    monkeypatch.setattr(BaseAccount, "gate", property(gate))
    tables = [f'[accounts.a{n}]\nprovider = "wemasy"\ntoken = "t"\nlimit_group = "g{n % 2}"' for n in range(count)]

    assert len(load_accounts(settings_with("\n".join(tables)))) == count

    assert asked <= 2 * count


@pytest.mark.parametrize("host", ["127.0.0.1:80", "localhost:8900", "[::1]:80"])
def test_plain_http_is_for_loopback_only(host: str) -> None:
    accounts = load_accounts(settings_with(f'{GOOD}token = "t"\nbase_url = "http://{host}/api/"'))

    assert accounts["portal"].root == f"http://{host}"


def test_the_schedule_is_as_short_however_many_accounts_there_are_and_every_entry_expires() -> None:
    settings = settings_with(GOOD + 'token = "t"')
    accounts = [*load_accounts(settings).values()]

    schedule = beat_schedule(settings, accounts * 1_000)

    assert set(schedule) == {"retrievals", "upkeep"}
    assert set(beat_schedule(settings, [one for one in accounts if not one.lists])) == {"upkeep"}
    for entry in schedule.values():
        assert entry["options"]["expires"] == entry["schedule"].total_seconds() + CLOCKS_SECONDS


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("60/minute", (60, 60_000)),
        ("20/second", (20, 1_000)),
        ("1000/hour", (1000, 3_600_000)),
        ("60/6s", (60, 6_000)),
        (" 5 / day ", (5, 86_400_000)),
    ],
)
def test_rates(text: str, rate: tuple[int, int]) -> None:
    assert parse_rate(text) == Rate(*rate)


@pytest.mark.parametrize(
    "text", ["", "60", "60/", "0/minute", "60/0s", "60/fortnight", "-1/second", "1.5/second", None]
)
def test_what_is_no_rate(text: object) -> None:
    with pytest.raises(ValueError, match="60/minute"):
        parse_rate(text)


@pytest.mark.parametrize(("text", "ms"), [("90s", 90_000), ("15m", 900_000), ("12h", 43_200_000), ("3d", 259_200_000)])
def test_durations(text: str, ms: int) -> None:
    assert parse_duration(text) == ms


@pytest.mark.parametrize("text", ["", "3", "d", "0d", "3 weeks", "-1d", 3])
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="3d"):
        parse_duration(text)


def test_a_sentinel_address_has_hosts_a_master_and_a_database() -> None:
    url = SentinelUrl.parse("sentinel://user:p%40ss@one:26380,two/3?master=cell1")

    assert (url.hosts, url.master, url.db) == ((("one", 26380), ("two", 26379)), "cell1", 3)
    assert (url.username, url.password) == ("user", "p@ss")
    assert url.for_celery() == "sentinel://user:p%40ss@one:26380/3;sentinel://user:p%40ss@two:26379/3"
    assert "p@ss" not in repr(url)
