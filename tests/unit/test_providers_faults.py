"""What each provider refuses of a job that is valid as such, and how each carries a delay."""

from typing import Any

import pytest

from config.accounts import Account, FeedbackcompanyAccount, WebwinkelkeurAccount, WemasyAccount
from tasks.delay import Delay
from tasks.job import Job
from tasks.providers import PROVIDERS
from tasks.providers.carries import faults_for
from tasks.providers.language import iso_639_1

SHOP = WebwinkelkeurAccount.model_validate({"name": "a", "provider": "webwinkelkeur", "shop_id": 1, "code": "c"})
SISTER = WebwinkelkeurAccount.model_validate({"name": "a", "provider": "trustprofile", "shop_id": 1, "code": "c"})
PORTAL = WemasyAccount.model_validate({"name": "a", "provider": "wemasy", "token": "t"})
REVIEWS = FeedbackcompanyAccount.model_validate({"name": "a", "provider": "feedbackcompany", "access_token": "t"})
PRODUCT = {"id": "1", "name": "Pear", "url": "https://shop.example/1"}
DETAIL = {"order": "1", "order_total": "1.50", "products": [PRODUCT], "customer": {"full_name": "Jane Doe"}}
DEMANDS: dict[str, Any] = {
    "language": "nl",
    "reminder": {"amount": 5, "unit": "days"},
    "filtercode": "north",
    "client": "my-shop",
    "platform_version": "1",
    "plugin_version": "1",
    "invite": False,
}


def faults(account: Account, **fields: Any) -> list[str]:
    job = Job.read({"account": "a", "email": "jane@example.com", "order": "1", **fields})
    return [str(fault) for fault in faults_for(account, job)]


@pytest.mark.parametrize("account", [SHOP, SISTER, PORTAL, REVIEWS], ids=lambda account: account.provider)
def test_plain_detail_and_empty_fields_are_no_fault(account: Account) -> None:
    empty = dict.fromkeys(set(DEMANDS) - {"invite"})

    assert faults(account, **DETAIL, **empty, delay={"amount": 2, "unit": "hours"}, idempotency_key="k") == []


@pytest.mark.parametrize(
    ("account", "carried"),
    [
        (SHOP, {"language", "client", "platform_version", "plugin_version"}),
        (SISTER, {"language", "client", "platform_version", "plugin_version"}),
        (PORTAL, set()),
        (REVIEWS, {"reminder", "filtercode", "invite"}),
    ],
    ids=lambda value: getattr(value, "provider", ""),
)
@pytest.mark.parametrize("field", DEMANDS)
def test_a_field_that_cannot_be_carried_is_a_fault(account: Account, carried: set[str], field: str) -> None:
    expected = [] if field in carried else [f"{field}: cannot be carried by {account.provider}: leave it out"]

    assert faults(account, **{field: DEMANDS[field]}) == expected


@pytest.mark.parametrize("account", [SHOP, SISTER], ids=lambda account: account.provider)
@pytest.mark.parametrize("order", [None, "1"])
def test_an_account_that_asks_for_consent_needs_the_order(account: WebwinkelkeurAccount, order: str | None) -> None:
    asks = account.model_copy(update={"consent": "required"})
    missing = ["order: is required: this account asks for the consent given with an order"]

    assert faults(asks, order=order) == ([] if order else missing)
    assert faults(account, order=order) == []


def test_every_fault_is_named_at_once() -> None:
    assert faults(PORTAL, **DEMANDS, email="j@" + "x" * 60 + "." + "y" * 60 + "." + "z" * 63 + ".example") == [
        *(f"{field}: cannot be carried by wemasy: leave it out" for field in DEMANDS),
        "email: expected at most 191 characters for Wemasy",
    ]


def test_every_carried_field_is_one_of_a_job() -> None:
    for provider in PROVIDERS.values():
        assert provider.carries <= set(Job.model_fields)


def test_trustprofile_is_webwinkelkeur() -> None:
    assert PROVIDERS["trustprofile"] is PROVIDERS["webwinkelkeur"]
    assert {name for name, provider in PROVIDERS.items() if provider.lists} == {
        "webwinkelkeur",
        "trustprofile",
    }


@pytest.mark.parametrize(
    ("provider", "units"),
    [
        ("webwinkelkeur", {"days"}),
        ("wemasy", set()),
        ("feedbackcompany", {"minutes", "hours", "days", "weekdays"}),
    ],
)
def test_what_a_provider_schedules(provider: str, units: set[str]) -> None:
    every = {"seconds", "minutes", "hours", "days", "weekdays"}
    delays = [Delay.model_validate({"amount": 1, "unit": unit}) for unit in every]

    assert {delay.unit for delay in delays if PROVIDERS[provider].schedules(delay)} == units


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nl", "nl"),
        ("NL", "nl"),
        ("nl_NL", "nl"),
        ("nl-BE", "nl"),
        (" nl_NL.UTF-8 ", "nl"),
        ("nl_NL@euro", "nl"),
        ("nld", "nl"),
        ("dut", "nl"),
        ("deu", "de"),
        ("zh-Hant-TW", "zh"),
        ("nb_NO", "nb"),
        ("no", "no"),
        ("tl", "tl"),
        ("iw", "he"),
        ("cmn", "zh"),
        ("fy", "fy"),
    ],
)
def test_languages_become_iso_639_1(text: str, code: str) -> None:
    assert iso_639_1(text) == code
    assert faults(SHOP, language=text) == []


@pytest.mark.parametrize("text", ["Dutch", "xx", "zz_ZZ", "fil", "frr", "C", "und", "nl NL", "1", "?", "x-nl"])
def test_a_language_without_iso_639_1_is_a_fault(text: str) -> None:
    assert iso_639_1(text) is None
    assert faults(SHOP, language=text) == [
        "language: expected a language that has an ISO-639-1 code, such as nl",
    ]


def test_the_feedback_company_needs_an_order() -> None:
    assert faults(REVIEWS, order=None) == ["order: is required by The Feedback Company"]


def test_the_feedback_company_limits_its_texts() -> None:
    long = "x" * 251
    product = {**PRODUCT, "id": long, "name": long, "sku": long}
    tooth = "expected at most 250 characters for The Feedback Company"

    assert faults(REVIEWS, order=long, filtercode=long, customer={"full_name": long}, products=[PRODUCT, product]) == [
        f"{field}: {tooth}"
        for field in (
            "order",
            "customer.full_name",
            "filtercode",
            "products.1.id",
            "products.1.name",
            "products.1.sku",
        )
    ]
    assert faults(REVIEWS, order="x" * 250, filtercode="x" * 250) == []


@pytest.mark.parametrize(
    ("gtin", "fits"),
    [
        ("96385074", True),
        ("075678164125", True),
        ("0075678164125", True),
        ("00075678164125", True),
        ("10075678164122", False),
    ],
)
def test_the_feedback_company_wants_a_gtin_13(gtin: str, fits: bool) -> None:
    expected = [] if fits else ["products.0.gtin: expected a GTIN-13, or one that zeros make a GTIN-13"]

    assert faults(REVIEWS, products=[{**PRODUCT, "gtin": gtin}]) == expected


def test_the_feedback_company_reminds_in_its_own_units() -> None:
    assert faults(REVIEWS, reminder={"amount": 100_000, "unit": "seconds"}) == [
        "reminder.unit: expected one of minutes, hours, days, weekdays",
    ]


def test_without_an_invitation_there_is_nothing_to_delay() -> None:
    day = {"amount": 1, "unit": "days"}

    assert faults(REVIEWS, invite=False, delay=day, reminder={"amount": 3, "unit": "days"}) == [
        "delay: expected none where invite is false",
        "reminder: expected none where invite is false",
    ]
