"""Reading answers: whatever a provider sends is an outcome, and nothing personal comes back out of it."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.accounts import Account
from config.outside import read_account
from tasks import outcome as outcomes
from tasks.job import Job
from tasks.providers import PROVIDERS
from tasks.providers.base import Reply
from tasks.providers.listing import Page, Row, utc
from tasks.providers.reasons import quote

SHOPS: list[dict[str, Any]] = [
    {"provider": "webwinkelkeur", "shop_id": 1, "code": "s3cret"},
    {"provider": "wemasy", "token": "s3cret"},
    {"provider": "feedbackcompany", "client_id": "c", "client_secret": "s3cret"},
]
ACCOUNTS: dict[str, Account] = {shop["provider"]: read_account({"name": "a", **shop}) for shop in SHOPS}
JOB = Job.read(
    {
        "account": "a",
        "email": "jane.roe@example.com",
        "order": "1001",
        "customer": {"full_name": "Jane van der Doe", "phone_numbers": ["06-123"]},
    }
)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
OUTCOMES = (
    outcomes.Accepted,
    outcomes.Duplicate,
    outcomes.Rejected,
    outcomes.CredentialsRefused,
    outcomes.Unclear,
    outcomes.Unavailable,
    Page,
    type(None),
)
WORDS = st.sampled_from(
    [
        "success",
        "error",
        "Invitation already sent",
        "external_id exists",
        "taken",
        "token",
        "2022-06-19 14:04:39",
    ]
)
KEYS = st.sampled_from(
    [
        "status",
        "message",
        "error",
        "success",
        "errors",
        "data",
        "customer",
        "id",
        "email",
        "invitations",
        "order",
        "datetimes",
        "created",
        "sent",
        "scheduled",
        "total",
        "delay",
        "access_token",
        "expires_on",
    ]
)
TEXT = st.text("ab1 .,:;@%/\\\"'\0\né€", max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)


@pytest.mark.parametrize("name", ACCOUNTS)
@given(
    data=st.dictionaries(KEYS, JSON, max_size=6),
    status=st.sampled_from([200, 201, 400, 401, 403, 409, 422, 500]),
)
def test_any_body_is_an_outcome(name: str, data: dict[str, Any], status: int) -> None:
    provider, account = PROVIDERS[name], ACCOUNTS[name]
    reply = Reply(status, {}, b"", data)

    assert isinstance(provider.read(account, JOB, reply), OUTCOMES)
    assert isinstance(provider.read_list(account, reply), OUTCOMES)
    token = provider.read_token(reply, NOW)
    assert token is None or token[1] > 0


@pytest.mark.parametrize(
    ("expires_on", "good_for_ms"),
    [
        ("June, 1 2026 02:00:00 +0100", 3_600_000),
        ("July, 31 2026 00:00:00 +0000", 60 * 86_400_000),
        ("April, 1 2018 00:00:00 +0100", 3_600_000),
        ("2026-06-01", 3_600_000),
        (None, 3_600_000),
    ],
)
def test_when_a_token_ends(expires_on: str | None, good_for_ms: int) -> None:
    reply = Reply(200, {}, b"", {"error": False, "access_token": "t", "expires_on": expires_on})

    assert PROVIDERS["feedbackcompany"].read_token(reply, NOW) == ("t", good_for_ms)


@pytest.mark.parametrize("names", [{"full_name": "J" * 192}, {"first_name": "J" * 192, "last_name": "D" * 500}])
def test_wemasy_gets_names_cut_to_their_limit(names: dict[str, str]) -> None:
    job = Job.read({"account": "a", "email": "jane@example.com", "customer": names})
    body = PROVIDERS["wemasy"].invitation(ACCOUNTS["wemasy"], job).json

    assert body["firstname"] == "J" * 191
    assert body.get("lastname", "D" * 191) == "D" * 191


@pytest.mark.parametrize(("total", "sent"), [("1E+3", "1000"), ("0.10", "0.10"), (1500.99, "1500.99"), ("0", "0")])
def test_webwinkelkeur_gets_totals_with_a_dot_and_no_exponent(total: Any, sent: str) -> None:
    job = Job.read({"account": "a", "email": "jane@example.com", "order_total": total})
    form = PROVIDERS["webwinkelkeur"].invitation(ACCOUNTS["webwinkelkeur"], job).form

    assert form == {"email": "jane@example.com", "delay": "0", "order_total": sent}


@pytest.mark.parametrize(
    ("message", "quoted"),
    [
        ("All fine", "All fine"),
        ("  two\n lines\t", "two lines"),
        ("jane.roe@example.com or other+x@mail.example.", "… or …"),
        ("jane.roe%40example.com", "…"),
        ("see https://api.example/x?code=1 or www.example.com/y", "see … or …"),
        ("JANE VAN DER DOE, Doe and Jane", "…, … and …"),
        ("Doetinchem is not Doe", "Doetinchem is not …"),
        ("the address of roe", "the address of …"),
        ("call +31 (0)6 1234-5678 or 06-123", "call … or …"),
        ("code s3cret and xs3cretx", "code … and x…x"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJz", "token …"),
        ("order 1001 of 2026", "order 1001 of 2026"),
        ("null\x00byte \x1b[31mred", "null byte [31mred"),
        ("", "(no reason given)"),
        (None, "(no reason given)"),
        ({"a": 1}, "(no reason given)"),
    ],
)
def test_what_is_quoted(message: object, quoted: str) -> None:
    assert quote(message, JOB, ACCOUNTS["wemasy"]) == quoted


def test_a_quote_is_at_most_200_characters_and_quickly_made() -> None:
    assert quote("word " * 300_000) == ("word " * 40)[:199] + "…"
    assert quote("x" * 1_000_000) == "(no reason given)"


@given(TEXT)
def test_a_quote_holds_nothing_personal(text: str) -> None:
    quoted = quote(f"{text} jane.roe@example.com {text} 06-123 {text} s3cret {text}", JOB, ACCOUNTS["wemasy"])

    assert len(quoted) <= 200
    assert "jane" not in quoted.casefold().split()
    assert "s3cret" not in quoted
    assert "@example" not in quoted


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2022-06-19 14:04:39", datetime(2022, 6, 19, 12, 4, 39, tzinfo=UTC)),
        ("2022-01-19 14:04:39", datetime(2022, 1, 19, 13, 4, 39, tzinfo=UTC)),
        ("2022-10-30 02:30:00", datetime(2022, 10, 30, 0, 30, tzinfo=UTC)),
        ("2022-10-30 03:00:00", datetime(2022, 10, 30, 2, 0, tzinfo=UTC)),
        ("2022-03-27 02:30:00", datetime(2022, 3, 27, 1, 30, tzinfo=UTC)),
        ("2022-06-19T14:04:39+05:00", datetime(2022, 6, 19, 9, 4, 39, tzinfo=UTC)),
        ("0001-01-01 00:00:00", None),
        ("0000-00-00 00:00:00", None),
        ("", None),
        (False, None),
        (1655647479, None),
    ],
)
def test_times_are_wall_clock_time_of_the_account(text: object, time: datetime | None) -> None:
    assert utc(text, ZoneInfo("Europe/Amsterdam")) == time


def test_a_row_does_not_show_whose_it_is() -> None:
    row = Row("jane@example.com", "1001", 1, NOW, None, None)

    assert repr(row) == str(row) == "Row(created=2026-06-01T00:00:00+00:00, sent=False)"
    assert "jane" not in repr(Page([row], 1))
    assert Page([row], 7, unreadable=2).received == 3
