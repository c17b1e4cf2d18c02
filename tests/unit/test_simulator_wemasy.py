"""The simulated Wemasy over real HTTP, against its page."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from ops.simulator import RunningSimulator, SimulatorOptions, account_key
from ops.simulator.options import LimitHeader

PATH = "/api/services/webshop/v1/customers/invite"
TOKEN = "token-1"
JANE = {"email": "jane@example.com", "firstname": "Jane", "lastname": "Doe"}
REGISTERED = "The email is already registered for this project."


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with RunningSimulator() as running:
        yield running


def invite(simulator: RunningSimulator, body: Any, token: str | None = TOKEN, path: str = PATH) -> requests.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return requests.post(simulator.url + path, json=body, headers=headers, timeout=5)


@pytest.mark.parametrize("path", [PATH, PATH.removeprefix("/api")])
def test_a_customer_is_invited_as_in_the_sample(simulator: RunningSimulator, path: str) -> None:
    answer = invite(simulator, JANE, path=path)

    assert answer.status_code == 201
    assert answer.json() == {"customer": {"id": 42, **JANE}, "message": "Invitation email sent."}
    assert not {"X-RateLimit-Limit", "X-RateLimit-Remaining", "Retry-After"} & set(answer.headers)


def test_a_customer_is_invited_as_in_the_table() -> None:
    with RunningSimulator(SimulatorOptions(port=0, wemasy_shape="table")) as simulator:
        answer = invite(simulator, {"email": "jane@example.com", "firstname": None})

    assert answer.status_code == 201
    customer = {"id": 42, "email": "jane@example.com", "firstname": None, "lastname": None}
    assert answer.json() == {
        "error": False,
        "message": "Invitation email sent.",
        "data": {"customer": customer},
    }


def test_an_address_is_registered_once_per_token(simulator: RunningSimulator) -> None:
    invite(simulator, JANE)

    again = invite(simulator, {"email": "Jane@Example.com"})
    elsewhere = invite(simulator, JANE, token="token-2")

    assert again.status_code == 422
    assert again.json() == {"error": True, "message": REGISTERED, "errors": {"email": [REGISTERED]}}
    assert elsewhere.status_code == 201
    counts = simulator.stats()["accounts"][account_key("wemasy", TOKEN)]
    assert (counts["calls"], counts["accepted"], counts["duplicates"], counts["rejected"]) == (2, 1, 1, 0)


def test_the_words_for_a_registered_address_are_an_option() -> None:
    taken = "The email has already been taken."
    with RunningSimulator(SimulatorOptions(port=0, wemasy_registered=taken)) as simulator:
        invite(simulator, JANE)

        assert invite(simulator, JANE).json()["errors"] == {"email": [taken]}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["email"]),
        ([], ["email"]),
        ({"email": None}, ["email"]),
        ({"email": "jane"}, ["email"]),
        ({"email": f"{'j' * 180}@example.com"}, ["email"]),
        ({"email": "jane@example.com", "firstname": 1}, ["firstname"]),
        ({"email": "", "lastname": "x" * 192}, ["email", "lastname"]),
    ],
)
def test_a_bad_body_is_refused_by_field(simulator: RunningSimulator, body: object, fields: list[str]) -> None:
    answer = invite(simulator, body)

    assert answer.status_code == 422
    refusal = answer.json()
    assert refusal["error"] is True
    assert list(refusal["errors"]) == fields
    assert refusal["message"] == refusal["errors"][fields[0]][0]
    assert simulator.stats()["total"]["rejected"] == 1


def test_json_that_is_not_called_json_is_not_read(simulator: RunningSimulator) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/plain"}

    answer = requests.post(simulator.url + PATH, data=json.dumps(JANE), headers=headers, timeout=5)

    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["email"]


@pytest.mark.parametrize("token", [None, "", "wrong", "wrong-token"])
def test_an_unknown_token_is_unauthenticated(simulator: RunningSimulator, token: str | None) -> None:
    answer = invite(simulator, JANE, token=token)

    assert answer.status_code == 401
    assert answer.json() == {"error": True, "message": "Unauthenticated."}
    assert simulator.stats()["total"]["refused_credentials"] == 1


def test_a_token_without_permission_is_forbidden(simulator: RunningSimulator) -> None:
    answer = invite(simulator, JANE, token="wrong-permissions")

    assert answer.status_code == 403
    assert answer.json() == {"error": True, "message": "You do not have permission to access this resource."}
    assert simulator.stats()["total"]["refused_credentials"] == 1


def test_rate_limit_headers_stand_on_every_answer_and_retry_after_on_429_alone() -> None:
    with RunningSimulator(SimulatorOptions(port=0, limit="2/minute")) as simulator:
        answers = [invite(simulator, body) for body in (JANE, {}, JANE)]

        assert [answer.status_code for answer in answers] == [201, 422, 429]
        assert [answer.headers["X-RateLimit-Limit"] for answer in answers] == ["2", "2", "2"]
        assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
        assert [answer.headers.get("Retry-After") for answer in answers] == [None, None, "60"]
        assert answers[2].json() == {"error": True, "message": "Too Many Requests"}
        assert invite(simulator, JANE, token="wrong").headers["X-RateLimit-Remaining"] == "1"


@pytest.mark.parametrize(("limit_header", "shown"), [("per_minute", "600"), ("window", "60")])
def test_the_limit_header_counts_calls_a_minute_or_in_a_window(limit_header: LimitHeader, shown: str) -> None:
    options = SimulatorOptions(port=0, limit="60/6s", limit_header=limit_header)
    with RunningSimulator(options) as simulator:
        answer = invite(simulator, JANE)

    assert answer.headers["X-RateLimit-Limit"] == shown
    assert answer.headers["X-RateLimit-Remaining"] == "59"


def test_another_method_is_not_allowed_and_counts_as_rejected(simulator: RunningSimulator) -> None:
    answer = requests.get(simulator.url + PATH, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=5)

    assert answer.status_code == 405
    counts = simulator.stats()["accounts"][account_key("wemasy", TOKEN)]
    assert (counts["calls"], counts["rejected"]) == (1, 1)
