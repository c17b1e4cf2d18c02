"""The job: what may stand in it, every fault named by field, no value repeated."""

import json
import math
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from tasks.faults import JobError
from tasks.job import Job
from tests.support import SAMPLE_JOB

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def faults_of(raw: Any) -> dict[str, str]:
    with pytest.raises(JobError) as refused:
        Job.read(raw)
    return {fault.field: fault.problem for fault in refused.value.faults}


def test_the_job_of_the_contract_is_valid_as_text_and_as_an_object() -> None:
    from_text, from_object = Job.read(json.dumps(SAMPLE_JOB)), Job.read(SAMPLE_JOB)

    assert from_text == from_object
    assert str(from_text.order_total) == "1500.99"
    assert from_text.customer.name == "Jane Doe"


def test_numbers_of_shops_become_texts() -> None:
    job = Job.read({"account": "a", "email": "jane@example.com", "order": 1001, "order_total": 1500.99})

    assert (job.order, str(job.order_total)) == ("1001", "1500.99")


def test_every_fault_is_named_by_field_in_one_error() -> None:
    faults = faults_of(
        {
            "account": "Shop NL",
            "email": "nobody",
            "order_total": "-1",
            "discount": 5,
            "invite": "perhaps",
            "delay": {"amount": -1, "unit": "weeks"},
            "reminder": {"amount": 1},
            "products": [{"id": "1", "url": "ftp://shop.example/1", "gtin": "0075678164126"}],
        }
    )

    assert set(faults) == {
        "account",
        "email",
        "order_total",
        "discount",
        "invite",
        "delay.amount",
        "delay.unit",
        "reminder.unit",
        "products.0.name",
        "products.0.url",
        "products.0.gtin",
    }
    assert faults["discount"] == "is not a field of a job"
    assert faults["products.0.name"] == "is required"
    assert faults["products.0.gtin"] == "expected a GTIN of 8, 12, 13 or 14 digits with a right check digit"


@pytest.mark.parametrize(
    ("misspelt", "field", "meant"),
    [
        ({"emial": 1}, "emial", "; did you mean email?"),
        ({"orderTotal": 1}, "(unreadable name)", "; did you mean order_total?"),
        ({"customer": {"fullname": "x"}}, "customer.fullname", "; did you mean full_name?"),
        ({"products": [{"gtn": "x"}]}, "products.0.gtn", "; did you mean gtin?"),
        ({"delay": {"amount": 1, "unit": "days", "units": 1}}, "delay.units", "; did you mean unit?"),
        ({"reply_to": {"tasks": "x"}}, "reply_to.tasks", "; did you mean task?"),
        ({"customer": {"emial": "x"}}, "customer.emial", ""),
        ({"jane_doe": 1}, "jane_doe", ""),
        ({"email" * 13: 1}, "(unreadable name)", ""),
    ],
)
@pytest.mark.parametrize("read", [dict, json.dumps])
def test_a_misspelt_field_is_told_with_the_one_that_is_near(
    read: Callable[[dict[str, Any]], Any], misspelt: dict[str, Any], field: str, meant: str
) -> None:
    faults = faults_of(read({"account": "a", "email": "jane@example.com", **misspelt}))

    assert faults[field] == f"is not a field of a job{meant}"


@pytest.mark.parametrize("read", [dict, json.dumps])
def test_faults_are_told_in_plain_words(read: Callable[[dict[str, Any]], Any]) -> None:
    faults = faults_of(
        read(
            {
                "account": "Shop NL",
                "order": [],
                "language": "",
                "order_total": "much",
                "invite": "perhaps",
                "customer": {"phone_numbers": "06"},
                "delay": "5 days",
                "reminder": {"amount": "soon", "unit": "fortnights"},
            }
        )
    )

    assert faults == {
        "account": "expected small letters, digits and _ only",
        "email": "is required",
        "order": "expected a text",
        "language": "must not be empty",
        "order_total": "expected a number, such as 1500.99",
        "invite": "expected true or false",
        "customer.phone_numbers": "expected a list",
        "delay": 'expected an amount and a unit, such as {"amount": 5, "unit": "days"}',
        "reminder.amount": "expected a whole number",
        "reminder.unit": "expected one of 'seconds', 'minutes', 'hours', 'days' or 'weekdays'",
    }


@pytest.mark.parametrize("raw", ["", "{", "null", "[]", "7", [], None, 7, b"\xff", '{"account": "a"'])
def test_what_is_no_job_at_all_is_one_fault_of_the_whole(raw: Any) -> None:
    assert list(faults_of(raw)) == ["job"]


@pytest.mark.parametrize(
    "address",
    ["", "jane", "jane@", "@example.com", "jane@example", "a b@example.com", "Jane <jane@example.com>"],
)
def test_a_bad_address_is_refused(address: str) -> None:
    assert faults_of({"account": "a", "email": address}) == {
        "email": "expected an e-mail address, such as jane@example.com"
    }


@pytest.mark.parametrize("address", ["jane.o'neil+shop@example.com", "jürgen@example.com", "jane@müller.example.com"])
def test_unusual_addresses_are_addresses(address: str) -> None:
    assert Job.read({"account": "a", "email": address}).email == address


def test_an_address_is_kept_in_one_form_of_unicode() -> None:
    assert Job.read({"account": "a", "email": "jose\u0301@exa\u0308mple.nl"}).email == "jos\u00e9@ex\u00e4mple.nl"


CONTROLS = ["\n", "\r\n", "\t", "\0", "\x1b[31m", "\x7f", "\x85", "\x9b", "\u2028", "\u202e", "\u2066"]
ONE_LINE = "expected one line without control characters"


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("read", [dict, json.dumps])
def test_a_control_character_is_a_fault_of_its_field(read: Callable[[dict[str, Any]], Any], control: str) -> None:
    text = f"a{control}b"
    product = {"id": text, "name": "Pear", "url": f"https://shop.example/{control}p", "sku": text}
    raw = {
        **dict.fromkeys(("order", "language", "filtercode", "client", "plugin_version", "idempotency_key"), text),
        "account": "shop_nl",
        "email": f"jane{control}@example.com",
        "customer": {"full_name": text, "first_name": text, "last_name": text, "phone_numbers": [text]},
        "platform_version": text,
        "products": [product],
    }

    faults = faults_of(read(raw))

    assert faults.pop("email") == "expected an e-mail address, such as jane@example.com"
    assert faults == dict.fromkeys(
        (
            *("order", "language", "filtercode", "client", "platform_version", "plugin_version", "idempotency_key"),
            *(f"customer.{name}" for name in ("full_name", "first_name", "last_name", "phone_numbers.0")),
            *(f"products.0.{name}" for name in ("id", "url", "sku")),
        ),
        ONE_LINE,
    )


def test_line_breaks_in_the_name_of_a_product_become_spaces() -> None:
    product = {"id": "1", "name": " Red\r\n\tDelicious\n", "url": "https://shop.example/p/1"}

    assert Job.read({**SAMPLE_JOB, "products": [product]}).products[0].name == "Red Delicious"
    assert faults_of({**SAMPLE_JOB, "products": [{**product, "name": "Red\x1b[31m"}]}) == {"products.0.name": ONE_LINE}


def test_letters_of_every_language_are_no_control_characters() -> None:
    names = "نامه‌ای 👩‍💻 José 王"

    assert Job.read({**SAMPLE_JOB, "customer": {"full_name": names}}).customer.name == names


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("read", [dict, json.dumps])
def test_what_is_no_number_is_no_text_either(read: Callable[[dict[str, Any]], Any], number: float) -> None:
    raw = {"account": "a", "email": "jane@example.com", "order": number, "order_total": number}

    assert faults_of(read(raw)) == {"order": "expected a text", "order_total": "expected a number"}


@pytest.mark.parametrize("field", ["account", "email", "order", "idempotency_key"])
def test_a_number_without_end_is_a_fault(field: str) -> None:
    raw = {"account": "a", "email": "jane@example.com", field: 10**5000}

    assert faults_of(raw) == {"job": "holds a number that is too large"}
    assert faults_of(json.dumps({**raw, field: 1}).replace("1", "1" + "0" * 5000)) == {"job": "is not valid JSON"}


@pytest.mark.parametrize("nought", ["0E+999999", "0E-999999", "0.00"])
def test_a_nought_is_never_written_out(nought: str) -> None:
    total = Job.read({**SAMPLE_JOB, "order_total": nought}).order_total

    assert total is not None
    assert format(total, "f") == "0"


def test_of_very_many_faults_the_first_are_named_and_the_others_counted() -> None:
    with pytest.raises(JobError) as refused:
        Job.read({"account": "a", "email": "jane@example.com", **{f"field_{number}": 1 for number in range(5_000)}})

    assert len(refused.value.faults) == 101
    assert str(refused.value.faults[-1]) == "job: has 4900 more faults"


@given(st.text(st.sampled_from('ab.@+" -é<'), max_size=12))
def test_the_quick_check_of_addresses_agrees_with_the_whole_one(local: str) -> None:
    address = f"{local}@example.com"
    try:
        validate_email(address, check_deliverability=False)
        valid = address == address.strip()
    except EmailNotValidError:
        valid = False
    try:
        accepted = Job.read({"account": "a", "email": address}).email == address
    except JobError:
        accepted = False

    assert accepted is valid or address != address.strip()


@pytest.mark.parametrize(
    "gtin",
    ["0075678164125", "0075678164126", "96385074", "075678164125", "10012345678902", "7567816412", "x"],
)
def test_the_check_digit_of_a_gtin_decides(gtin: str) -> None:
    right = gtin in {"0075678164125", "96385074", "075678164125", "10012345678902"}
    raw = {**SAMPLE_JOB, "products": [{"id": "1", "name": "n", "url": "https://shop.example/1", "gtin": gtin}]}

    if right:
        assert Job.read(raw).products[0].gtin == gtin
    else:
        assert list(faults_of(raw)) == ["products.0.gtin"]


def test_no_fault_and_no_repr_repeats_a_value() -> None:
    canary = "canary.person@example.com"
    raw = {
        "account": "a",
        "email": f"{canary} ",
        "order": {canary: canary},
        canary: 1,
        "customer": {canary: 1},
    }

    with pytest.raises(JobError) as refused:
        Job.read(raw)

    assert "canary" not in str(refused.value)
    assert "canary" not in repr(refused.value.faults)
    assert "canary" not in repr(Job.read({"account": "a", "email": canary, "customer": {"full_name": canary}}))


@pytest.mark.parametrize(
    ("delay", "reminder", "valid"),
    [
        (("days", 0), ("days", 1), True),
        (("days", 1), ("hours", 47), False),
        (("days", 1), ("hours", 48), True),
        (None, ("minutes", 1439), False),
        (None, ("minutes", 1440), True),
        (("hours", 5), ("days", 1), False),
        # 2026-11-20 is a Friday: the next weekday is Monday, three days on.
        (("weekdays", 1), ("days", 3), False),
        (("weekdays", 1), ("days", 4), True),
        (("days", 2), ("weekdays", 1), True),
    ],
)
def test_a_reminder_comes_at_least_24_hours_after_the_delay(
    delay: tuple[str, int] | None, reminder: tuple[str, int], valid: bool
) -> None:
    friday = datetime(2026, 11, 20, 10, tzinfo=AMSTERDAM)
    raw = {
        "account": "a",
        "email": "jane@example.com",
        "reminder": {"unit": reminder[0], "amount": reminder[1]},
    }
    if delay:
        raw["delay"] = {"unit": delay[0], "amount": delay[1]}

    faults = Job.read(raw).faults_at(int(friday.timestamp() * 1000), AMSTERDAM)

    assert [fault.field for fault in faults] == ([] if valid else ["reminder"])
