"""The simulated Feedback Company over real HTTP, against its page and NOTES.md."""

import copy
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import requests

from ops.simulator import RunningSimulator, SimulatorOptions, account_key
from ops.simulator.feedbackcompany import expires_on
from ops.simulator.feedbackcompany_order import order_faults
from ops.simulator.limits import NS_PER_SECOND

ORDERS = "/api/v2/orders"
TOKEN = "/api/v2/oauth2/token"
CLIENT = {"client_id": "shop-7", "client_secret": "s", "grant_type": "authorization_code"}
EXAMPLE: dict[str, Any] = {
    "external_id": "08b747cb-e20a-4644-9900-7db115e2f249",
    "customer": {"email": "appleseed@example.com", "fullname": "John Appleseed"},
    "products": [
        {
            "external_id": "c17b8994-7a31-4dda-b710-a1bb5cd97e55",
            "sku": "rd001",
            "gtin": "0075678164124",
            "name": "Red Delicious",
            "url": "https://www.example.com/producs/red-delicious",
            "image_url": "https://www.example.com/images/red-delicious.jpeg",
        }
    ],
    "invitation": {"delay": {"unit": "days", "amount": 0}, "reminder": {"unit": "days", "amount": 7}},
    "filtercode": "filtercode1234",
}
FRIDAY_NOON = int(datetime.fromisoformat("2026-03-27T12:00:00+01:00").timestamp()) * NS_PER_SECOND
SATURDAY_NOON = FRIDAY_NOON + 86_400 * NS_PER_SECOND


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with RunningSimulator() as running:
        yield running


def order(simulator: RunningSimulator, body: Any, token: str = "static", path: str = ORDERS) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.post(simulator.url + path, json=body, headers=headers, timeout=5)


def fetch_token(simulator: RunningSimulator, path: str = TOKEN, **changes: str) -> requests.Response:
    return requests.get(simulator.url + path, params={**CLIENT, **changes}, timeout=5)


def with_value(path: str, value: object) -> dict[str, Any]:
    """The page's example with one property changed: "customer.email", "products.0.gtin"."""
    changed: dict[str, Any] = copy.deepcopy(EXAMPLE)
    *parents, last = path.split(".")
    target: Any = changed
    for name in parents:
        target = target[int(name)] if isinstance(target, list) else target[name]
    target[last] = value
    return changed


@pytest.mark.parametrize("path", [ORDERS, ORDERS.removeprefix("/api")])
@pytest.mark.parametrize("body", [EXAMPLE, {"external_id": "1", "customer": {"email": "a@example.com"}}])
def test_an_order_is_created(simulator: RunningSimulator, path: str, body: dict[str, Any]) -> None:
    answer = order(simulator, body, path=path)

    assert answer.status_code == 201
    assert answer.json() == {"success": True}


def test_external_id_is_unique_per_account(simulator: RunningSimulator) -> None:
    order(simulator, EXAMPLE)

    again = order(simulator, with_value("customer.email", "other@example.com"))
    elsewhere = order(simulator, EXAMPLE, token="other")

    assert again.status_code == 422
    assert again.json() == {"success": False, "error": True, "message": "external_id already exists"}
    assert elsewhere.status_code == 201
    counts = simulator.stats()["accounts"][account_key("feedbackcompany", "static")]
    assert (counts["calls"], counts["accepted"], counts["duplicates"]) == (2, 1, 1)


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("external_id", "", "external_id:"),
        ("external_id", None, "external_id:"),
        ("external_id", "x" * 251, "external_id:"),
        ("customer", None, "customer:"),
        ("customer", {}, "customer.email:"),
        ("customer.email", "appleseed", "customer.email:"),
        ("customer.fullname", "", "customer.fullname:"),
        ("filtercode", "x" * 251, "filtercode:"),
        ("products", {}, "products:"),
        ("products", [1], "products[0]:"),
        ("products.0.external_id", " ", "products[0].external_id:"),
        ("products.0.name", None, "products[0].name:"),
        ("products.0.url", "www.example.com", "products[0].url:"),
        ("products.0.sku", None, "products[0].sku:"),
        ("products.0.gtin", "0075678164126", "products[0].gtin:"),
        ("products.0.gtin", "75678164125", "products[0].gtin:"),
        ("products.0.image_url", "", "products[0].image_url:"),
        ("invitation", {}, "invitation.delay:"),
        ("invitation.delay", {"unit": "weeks", "amount": 1}, "invitation.delay:"),
        ("invitation.delay", {"unit": ["days"], "amount": 1}, "invitation.delay:"),
        ("invitation.delay.amount", -1, "invitation.delay:"),
        ("invitation.delay.amount", 1.0, "invitation.delay:"),
        ("invitation.delay.amount", True, "invitation.delay:"),
        ("invitation.reminder", None, "invitation.reminder:"),
        ("invitation.reminder", {"unit": "hours", "amount": 23}, "invitation.reminder: at least 24 hours"),
        ("invitation.reminder.amount", 10**12, "invitation: times that can be reached"),
    ],
)
def test_a_bad_order_is_refused_by_property(simulator: RunningSimulator, path: str, value: object, fault: str) -> None:
    answer = order(simulator, with_value(path, value))

    assert answer.status_code == 422
    body = answer.json()
    assert (body["success"], body["error"]) == (False, True)
    assert body["message"].startswith(f"Expected {fault}")
    assert simulator.stats()["total"]["rejected"] == 1
    assert order(simulator, EXAMPLE).status_code == 201


def test_a_gtin_with_a_right_check_digit_is_accepted(simulator: RunningSimulator) -> None:
    assert order(simulator, with_value("products.0.gtin", "0075678164125")).status_code == 201


@pytest.mark.parametrize(
    ("at_ns", "delay", "reminder", "is_apart"),
    [
        (FRIDAY_NOON, ("minutes", 30), ("minutes", 1470), True),
        (FRIDAY_NOON, ("minutes", 31), ("minutes", 1470), False),
        (FRIDAY_NOON, ("hours", 12), ("hours", 36), True),
        (FRIDAY_NOON, ("days", 1), ("days", 2), True),
        (FRIDAY_NOON, ("days", 2), ("weekdays", 1), True),
        (FRIDAY_NOON, ("days", 3), ("weekdays", 1), False),
        (FRIDAY_NOON, ("days", 6), ("weekdays", 5), True),
        (FRIDAY_NOON, ("days", 7), ("weekdays", 5), False),
        (SATURDAY_NOON, ("days", 1), ("weekdays", 1), True),
        (SATURDAY_NOON, ("days", 2), ("weekdays", 1), False),
        (SATURDAY_NOON, ("days", 5), ("weekdays", 5), True),
        (SATURDAY_NOON, ("days", 6), ("weekdays", 5), False),
        (SATURDAY_NOON, ("weekdays", 0), ("weekdays", 0), False),
    ],
)
def test_a_reminder_comes_at_least_24_hours_after_the_delay(
    at_ns: int, delay: tuple[str, int], reminder: tuple[str, int], is_apart: bool
) -> None:
    units = {name: {"unit": unit, "amount": n} for name, (unit, n) in {"delay": delay, "reminder": reminder}.items()}

    faults = order_faults({**EXAMPLE, "invitation": units}, at_ns)

    assert faults == ([] if is_apart else ["invitation.reminder: at least 24 hours after the delay"])


@pytest.mark.parametrize("token", ["", "wrong", "wrong-token"])
def test_a_bad_static_token_is_refused(simulator: RunningSimulator, token: str) -> None:
    answer = order(simulator, EXAMPLE, token=token)

    assert answer.status_code == 401
    assert answer.json() == {"error": True, "message": "The access token is invalid."}
    assert simulator.stats()["total"]["refused_credentials"] == 1


@pytest.mark.parametrize("path", [TOKEN, TOKEN.removeprefix("/api")])
def test_a_token_is_issued_and_works(simulator: RunningSimulator, path: str) -> None:
    issued = fetch_token(simulator, path)
    body = issued.json()

    assert issued.status_code == 200
    assert set(body) == {"error", "access_token", "expires_on"}
    assert body["error"] is False
    assert re.fullmatch(r"[A-Z][a-z]+, \d{1,2} \d{4} \d\d:\d\d:\d\d \+0[12]00", body["expires_on"])
    assert order(simulator, EXAMPLE, token=body["access_token"]).status_code == 201
    counts = simulator.stats()["accounts"]["feedbackcompany/shop-7"]
    assert (counts["calls"], counts["tokens_issued"], counts["accepted"]) == (2, 1, 1)


def test_a_new_token_makes_the_previous_one_of_that_client_invalid(simulator: RunningSimulator) -> None:
    old, other = fetch_token(simulator).json(), fetch_token(simulator, client_id="shop-8").json()
    new = fetch_token(simulator).json()

    statuses = [order(simulator, EXAMPLE, token=body["access_token"]).status_code for body in (old, other, new)]

    assert statuses == [401, 201, 201]
    counts = simulator.stats()["accounts"]["feedbackcompany/shop-7"]
    assert (counts["tokens_issued"], counts["refused_credentials"], counts["accepted"]) == (2, 1, 1)


def test_a_token_ends_with_its_time_and_with_a_reset() -> None:
    with RunningSimulator(SimulatorOptions(port=0, token_seconds=0.001)) as simulator:
        short = fetch_token(simulator).json()["access_token"]
        assert order(simulator, EXAMPLE, token=short).status_code == 401
    with RunningSimulator() as simulator:
        forgotten = fetch_token(simulator).json()["access_token"]
        simulator.control(reset=True)
        assert order(simulator, EXAMPLE, token=forgotten).status_code == 401


@pytest.mark.parametrize("changes", [{"client_id": ""}, {"client_secret": ""}, {"grant_type": "password"}])
def test_an_incomplete_request_for_a_token_is_rejected(simulator: RunningSimulator, changes: dict[str, str]) -> None:
    answer = fetch_token(simulator, **changes)

    assert answer.status_code == 400
    assert answer.json()["error"] is True
    assert simulator.stats()["total"]["rejected"] == 1


@pytest.mark.parametrize("changes", [{"client_id": "wrong"}, {"client_secret": "wrong"}])
def test_a_wrong_client_gets_no_token(simulator: RunningSimulator, changes: dict[str, str]) -> None:
    answer = fetch_token(simulator, **changes)

    assert answer.status_code == 401
    assert simulator.stats()["total"]["refused_credentials"] == 1


def test_fetching_a_token_is_outside_of_limit_and_retry_after() -> None:
    with RunningSimulator(SimulatorOptions(port=0, limit="1/minute")) as simulator:
        tokens = [fetch_token(simulator).json()["access_token"] for _ in range(3)]
        first, second = order(simulator, EXAMPLE, token=tokens[-1]), order(simulator, {}, token=tokens[-1])

        assert (first.status_code, second.status_code) == (201, 429)
        assert second.json() == {"success": False, "error": True, "message": "Too Many Requests"}
        assert fetch_token(simulator).status_code == 200
        assert simulator.stats()["total"]["inside_retry_after"] == 0


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2018-04-01T00:00:00+02:00", "April, 1 2018 00:00:00 +0200"),
        ("2018-12-31T12:30:00+01:00", "December, 31 2018 12:30:00 +0100"),
    ],
)
def test_the_end_of_a_token_is_told_in_the_provider_s_own_form(moment: str, text: str) -> None:
    assert expires_on(int(datetime.fromisoformat(moment).timestamp()) * NS_PER_SECOND) == text
