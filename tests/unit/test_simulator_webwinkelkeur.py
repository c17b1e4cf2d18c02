"""The simulated WebwinkelKeur over real HTTP, against its two pages."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import requests

from ops.simulator import RunningSimulator, SimulatorOptions
from ops.simulator.engine import Engine
from ops.simulator.limits import NS_PER_SECOND
from ops.simulator.wire import Request

CREDENTIALS = {"id": "1", "code": "123456789abc"}
FORM = {"email": "jane@example.com", "order": "1001"}
PATH = "/api/1.0/invitations.json"
UNEXPECTED = "Unexpected error while processing. Please contact WebwinkelKeur."
FULL_FORM = {
    "email": "jane@example.com",
    "order": "order123",
    "language": "en",
    "delay": "5",
    "customer_name": "John Doe",
    "phone_numbers[0]": "+31612345678",
    "order_total": "1500.99",
    "order_data": json.dumps({"products": [{"id": 1, "name": "Product 1", "url": "https://shop.example/p/1"}]}),
    "client": "my-shop",
    "platform_version": "2.1",
    "plugin_version": "1.0",
}


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with RunningSimulator() as running:
        yield running


def create(simulator: RunningSimulator, form: dict[str, str], path: str = PATH) -> requests.Response:
    return requests.post(simulator.url + path, params=CREDENTIALS, data=form, timeout=5)


def retrieve(simulator: RunningSimulator, **query: object) -> dict[str, Any]:
    params = {**CREDENTIALS, **{name: str(value) for name, value in query.items()}}
    answer = requests.get(simulator.url + PATH, params=params, timeout=5)
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize("path", [PATH, PATH.removeprefix("/api")])
@pytest.mark.parametrize("form", [FORM, FULL_FORM, {"email": "jane@example.com"}])
def test_an_invitation_is_queued(simulator: RunningSimulator, path: str, form: dict[str, str]) -> None:
    answer = create(simulator, form, path)

    assert answer.status_code == 200
    assert answer.json() == {"status": "success", "message": "Invitation successfully added to queue!"}
    assert simulator.stats()["accounts"]["webwinkelkeur/1"]["accepted"] == 1


def test_address_and_order_are_invited_once(simulator: RunningSimulator) -> None:
    create(simulator, FORM)

    again = create(simulator, {**FORM, "email": "JANE@example.com"})
    other_order = create(simulator, {**FORM, "order": "1002"})

    assert again.status_code == 200
    assert again.json() == {"status": "success", "message": "Invitation already sent for this order."}
    assert other_order.json()["message"] == "Invitation successfully added to queue!"
    counts = simulator.stats()["accounts"]["webwinkelkeur/1"]
    assert (counts["calls"], counts["accepted"], counts["duplicates"]) == (3, 2, 1)
    assert retrieve(simulator)["total"] == 2


@pytest.mark.parametrize("form", [{}, {"order": "1"}, {"email": "", "order": "1"}])
def test_an_address_is_required(simulator: RunningSimulator, form: dict[str, str]) -> None:
    answer = create(simulator, form)

    assert answer.status_code == 200
    assert answer.json() == {"status": "error", "message": "Not all obligated variables are set."}


def test_a_form_that_is_called_json_is_not_read(simulator: RunningSimulator) -> None:
    headers = {"Content-Type": "application/json"}

    answer = requests.post(simulator.url + PATH, params=CREDENTIALS, data=FORM, headers=headers, timeout=5)

    assert answer.json() == {"status": "error", "message": "Not all obligated variables are set."}


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "jane"},
        {"delay": "soon"},
        {"delay": "-1"},
        {"language": "nl_NL"},
        {"order_total": "1.500,99"},
        {"phone_numbers": "+31612345678"},
        {"order_data": "{"},
        {"order_data": "[]"},
        {"order_data": '{"products": {"id": "1", "name": "Product 1", "url": "https://shop.example/p/1"}}'},
        {"order_data": '{"products": [{"id": "1", "name": "Product 1"}]}'},
        {"order_data": '{"products": [{"id": "1", "name": " ", "url": "https://shop.example/p/1"}]}'},
    ],
)
def test_unusable_contents_are_an_unexpected_error(simulator: RunningSimulator, wrong: dict[str, str]) -> None:
    answer = create(simulator, {**FORM, **wrong})

    assert answer.status_code == 200
    assert answer.json() == {"status": "error", "message": UNEXPECTED}
    assert simulator.stats()["total"]["rejected"] == 1
    assert retrieve(simulator)["total"] == 0


@pytest.mark.parametrize("query", [{}, {"id": "1"}, {"code": "abc"}])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_credentials_are_required(simulator: RunningSimulator, method: str, query: dict[str, str]) -> None:
    answer = requests.request(method, simulator.url + PATH, params=query, data=FORM, timeout=5)

    assert answer.json() == {"status": "error", "message": "Not all obligated variables are set."}


@pytest.mark.parametrize(
    "query", [{"id": "1", "code": "wrong"}, {"id": "wrong1", "code": "abc"}, {"id": "404", "code": "abc"}]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_wrong_credentials_are_refused(simulator: RunningSimulator, method: str, query: dict[str, str]) -> None:
    answer = requests.request(method, simulator.url + PATH, params=query, data=FORM, timeout=5)

    assert answer.status_code == 200
    assert answer.json() == {"status": "error", "message": "Incorrect authentication credentials."}
    assert simulator.stats()["total"]["refused_credentials"] == 1


def test_the_code_of_error_bodies_is_an_option() -> None:
    with RunningSimulator(SimulatorOptions(port=0, wwk_error_code=400)) as simulator:
        assert create(simulator, {}).status_code == 400
        assert create(simulator, FORM).status_code == 200


def test_invitations_come_newest_first_and_page_by_page(simulator: RunningSimulator) -> None:
    for number in range(5):
        create(simulator, {**FORM, "order": str(number)})

    first, second, past = (retrieve(simulator, offset=offset, order=3) for offset in (0, 3, 5))

    assert [row["order"] for row in first["invitations"]] == ["4", "3", "2"]
    assert [row["order"] for row in second["invitations"]] == ["1", "0"]
    assert past["invitations"] == []
    assert [page["total"] for page in (first, second, past)] == [5, 5, 5]
    assert first["status"] == "success"
    assert first["message"] == "Invitations successfully retrieved!"


@pytest.mark.parametrize(
    ("query", "rows"),
    [({}, 100), ({"limit": 2}, 2), ({"order": 3, "limit": 2}, 3), ({"order": 0}, 1), ({"order": 500}, 100)],
)
def test_a_page_has_1_to_100_rows(simulator: RunningSimulator, query: dict[str, int], rows: int) -> None:
    for number in range(101):
        create(simulator, {**FORM, "order": str(number)})

    assert len(retrieve(simulator, **query)["invitations"]) == rows


@pytest.mark.parametrize("query", [{"offset": "x"}, {"offset": "-1"}, {"order": "all"}])
def test_a_page_that_is_no_number_is_an_unexpected_error(simulator: RunningSimulator, query: dict[str, str]) -> None:
    assert retrieve(simulator, **query) == {"status": "error", "message": UNEXPECTED}


def engine_call(engine: Engine, method: str, at: datetime, form: bytes = b"") -> dict[str, Any]:
    """One call at a time of the test's choosing; `at` is in a zone, to the second."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    at_ns = int(at.timestamp()) * NS_PER_SECOND
    answer = engine.answer(Request(method, "/1.0/invitations.json", CREDENTIALS, headers, form, at_ns))
    assert answer is not None
    body: dict[str, Any] = json.loads(answer.reply.body)
    return body


def test_sent_is_false_until_delay_and_sending_are_over() -> None:
    engine = Engine(SimulatorOptions(send_after=5400))
    engine_call(engine, "POST", datetime.fromisoformat("2022-06-19T12:04:39Z"), b"email=john.doe@example.com&delay=2")

    before = engine_call(engine, "GET", datetime.fromisoformat("2022-06-21T13:34:38Z"))
    after = engine_call(engine, "GET", datetime.fromisoformat("2022-06-21T13:34:39Z"))

    row = {"email": "john.doe@example.com", "order": "", "delay": 2}
    times = {"created": "2022-06-19 14:04:39", "scheduled": "2022-06-21 14:04:39"}
    assert before["invitations"] == [{**row, "datetimes": {**times, "sent": False}}]
    assert after["invitations"] == [{**row, "datetimes": {**times, "sent": "2022-06-21 15:34:39"}}]


def test_times_are_dutch_in_winter_too_and_days_can_be_short() -> None:
    engine = Engine(SimulatorOptions(send_after=0, day_seconds=1.5))
    created = datetime.fromisoformat("2022-01-01T23:30:00Z")
    engine_call(engine, "POST", created, b"email=john.doe@example.com&delay=2")

    [row] = engine_call(engine, "GET", datetime.fromisoformat("2022-01-01T23:30:03Z"))["invitations"]

    assert row["datetimes"] == {
        "created": "2022-01-02 00:30:00",
        "scheduled": "2022-01-02 00:30:03",
        "sent": "2022-01-02 00:30:03",
    }


def test_the_oldest_invitations_are_forgotten_past_the_bound() -> None:
    with RunningSimulator(SimulatorOptions(port=0, max_records=2)) as simulator:
        for order in ("1", "2", "3"):
            create(simulator, {**FORM, "order": order})

        body = retrieve(simulator)
        assert [row["order"] for row in body["invitations"]] == ["3", "2"]
        assert create(simulator, {**FORM, "order": "1"}).json()["message"] == "Invitation successfully added to queue!"


@pytest.mark.parametrize("path", ["/api/2.0/order_permissions.json", "/2.0/order_permissions.json"])
def test_consent_is_answered_per_account(simulator: RunningSimulator, path: str) -> None:
    simulator.control(account="webwinkelkeur/2", has_consent=False)

    answers = [
        requests.get(simulator.url + path, params={"id": shop, "code": "a", "orderNumber": "1"}, timeout=5).json()
        for shop in ("1", "2")
    ]

    assert answers == [{"has_consent": True}, {"has_consent": False}]
    assert simulator.stats()["total"]["retrieved"] == 2


def test_consent_is_answered_per_order(simulator: RunningSimulator) -> None:
    answers = [
        requests.get(
            f"{simulator.url}/api/2.0/order_permissions.json", params={**CREDENTIALS, "orderNumber": order}, timeout=5
        ).json()
        for order in ("1", "without-consent-1")
    ]

    assert answers == [{"has_consent": True}, {"has_consent": False}]
    assert [call["kind"] for call in simulator.calls()] == ["consent", "consent"]


def test_consent_is_asked_for_an_order(simulator: RunningSimulator) -> None:
    answer = requests.get(simulator.url + "/api/2.0/order_permissions.json", params=CREDENTIALS, timeout=5)

    assert answer.json() == {"status": "error", "message": "Not all obligated variables are set."}


def test_a_limit_answers_429_with_retry_after() -> None:
    with RunningSimulator(SimulatorOptions(port=0, limit="1/minute")) as simulator:
        create(simulator, FORM)

        answer = create(simulator, FORM)

        assert answer.status_code == 429
        assert answer.json() == {"status": "error", "message": "Too Many Requests"}
        assert answer.headers["Retry-After"] == "60"
        assert "X-RateLimit-Limit" not in answer.headers
