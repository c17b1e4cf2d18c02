"""Every fault of the simulator as a client meets it, and what it leaves behind in the counts."""

import socket
import time
from collections.abc import Iterator

import pytest
import requests

from ops.simulator import RunningSimulator, SimulatorOptions

WEMASY = "/api/services/webshop/v1/customers/invite"
JANE = {"email": "jane@example.com"}
BEARER = {"Authorization": "Bearer t"}
SIZE = 3 * 65_536 + 1


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with RunningSimulator(SimulatorOptions(port=0, huge_bytes=SIZE)) as running:
        yield running


def invite(simulator: RunningSimulator, timeout: float = 5) -> requests.Response:
    return requests.post(simulator.url + WEMASY, json=JANE, headers=BEARER, timeout=timeout, allow_redirects=False)


def counted(simulator: RunningSimulator) -> dict[str, int]:
    """The counts that are not 0."""
    return {name: count for name, count in simulator.stats()["total"].items() if count}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, "failed"),
        (401, "refused_credentials"),
        (403, "refused_credentials"),
        (500, "failed"),
        (503, "failed"),
    ],
)
def test_a_status_is_answered_without_processing(simulator: RunningSimulator, status: int, outcome: str) -> None:
    simulator.control(fault=f"status:{status}")

    answer = invite(simulator)

    assert answer.status_code == status
    assert answer.json()["error"] is True
    assert "Retry-After" not in answer.headers
    assert counted(simulator) == {"calls": 1, outcome: 1}


@pytest.mark.parametrize("retry_after", ["7", "soon", "Wed, 21 Oct 2065 07:28:00 GMT", "-1", ""])
def test_a_status_carries_the_retry_after_that_was_asked_for(simulator: RunningSimulator, retry_after: str) -> None:
    simulator.control(fault="status:429", retry_after=retry_after)

    answer = invite(simulator)

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == retry_after
    assert counted(simulator) == {"calls": 1, "rejected_by_limit": 1}


def test_html_under_200(simulator: RunningSimulator) -> None:
    simulator.control(fault="html")

    answer = invite(simulator)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.text.startswith("<!DOCTYPE html>")
    assert counted(simulator) == {"calls": 1, "failed": 1}


def test_half_of_the_json_after_processing(simulator: RunningSimulator) -> None:
    simulator.control(fault="half_json")

    answer = invite(simulator)

    assert answer.status_code == 201
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert counted(simulator) == {"calls": 1, "accepted": 1}


def test_an_error_under_200(simulator: RunningSimulator) -> None:
    simulator.control(fault="error_under_200")

    answer = invite(simulator)

    assert (answer.status_code, answer.json()) == (200, {"error": True, "message": "Server Error"})
    assert counted(simulator) == {"calls": 1, "failed": 1}


def test_good_credentials_are_refused_on_request(simulator: RunningSimulator) -> None:
    simulator.control(fault="credentials")

    wemasy = invite(simulator)
    shop = requests.get(simulator.url + "/1.0/invitations.json", params={"id": "1", "code": "a"}, timeout=5)
    order = requests.post(simulator.url + "/v2/orders", json={}, headers=BEARER, timeout=5)

    assert (wemasy.status_code, wemasy.json()["message"]) == (401, "Unauthenticated.")
    assert (shop.status_code, shop.json()["message"]) == (200, "Incorrect authentication credentials.")
    assert (order.status_code, order.json()["error"]) == (401, True)
    assert counted(simulator) == {"calls": 3, "refused_credentials": 3}


@pytest.mark.parametrize(
    ("fault", "outcome", "next_status"), [("hang", "failed", 201), ("hang_after", "accepted", 422)]
)
def test_no_answer_ever(simulator: RunningSimulator, fault: str, outcome: str, next_status: int) -> None:
    simulator.control(fault=fault, count=1)

    with pytest.raises(requests.ReadTimeout):
        invite(simulator, timeout=0.2)

    assert counted(simulator) == {"calls": 1, outcome: 1}
    assert simulator.calls()[0]["status"] == 0
    assert invite(simulator).status_code == next_status


@pytest.mark.parametrize(
    ("fault", "outcome", "next_status"), [("reset_before", "failed", 201), ("reset_after", "accepted", 422)]
)
def test_a_reset_connection(simulator: RunningSimulator, fault: str, outcome: str, next_status: int) -> None:
    simulator.control(fault=fault, count=1)

    with pytest.raises(requests.ConnectionError, match="Connection reset by peer"):
        invite(simulator)

    assert counted(simulator) == {"calls": 1, outcome: 1}
    assert simulator.calls()[0]["status"] == 0
    assert invite(simulator).status_code == next_status


def test_a_trickling_answer_comes_at_one_byte_a_second(simulator: RunningSimulator) -> None:
    simulator.control(fault="trickle")
    host, port = simulator.url.removeprefix("http://").split(":")
    head = f"GET /1.0/invitations.json?id=1&code=a HTTP/1.1\r\nHost: {host}\r\n\r\n"

    with socket.create_connection((host, int(port)), timeout=5) as connection:
        began = time.monotonic()
        connection.sendall(head.encode())
        received = b""
        while len(received.partition(b"\r\n\r\n")[2]) < 2:
            received += connection.recv(1000)
        took = time.monotonic() - began

    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert received.partition(b"\r\n\r\n")[2] == b'{"'
    assert took >= 1


def test_a_huge_body_is_streamed_without_its_length(simulator: RunningSimulator) -> None:
    simulator.control(fault="huge")

    answer = invite(simulator)

    assert answer.status_code == 200
    assert "Content-Length" not in answer.headers
    assert len(answer.content) == SIZE
    assert counted(simulator) == {"calls": 1, "failed": 1}


def test_a_client_may_leave_a_huge_body(simulator: RunningSimulator) -> None:
    simulator.control(fault="huge", count=1)

    with requests.post(simulator.url + WEMASY, json=JANE, headers=BEARER, stream=True, timeout=5) as answer:
        assert answer.raw.read(10) == b" " * 10

    assert invite(simulator).status_code == 201


@pytest.mark.parametrize(
    ("to", "location"),
    [
        ({}, "http://127.0.0.1:9/services"),
        ({"redirect_to": "other.example"}, "http://other.example/services"),
    ],
)
def test_a_redirect_to_another_host(simulator: RunningSimulator, to: dict[str, str], location: str) -> None:
    simulator.control(fault="redirect", **to)

    answer = invite(simulator)

    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{location}/webshop/v1/customers/invite"
    assert counted(simulator) == {"calls": 1, "failed": 1}


def test_a_fault_is_for_so_many_calls_of_a_kind(simulator: RunningSimulator) -> None:
    simulator.control(fault="status:500", count=2, kind="create")

    listed = requests.get(simulator.url + "/1.0/invitations.json", params={"id": "1", "code": "a"}, timeout=5)
    statuses = [invite(simulator).status_code for _ in range(3)]

    assert listed.status_code == 200
    assert statuses == [500, 500, 201]


def test_a_fault_without_a_count_lasts_until_it_is_taken_away(simulator: RunningSimulator) -> None:
    simulator.control(fault="status:500")
    before = [invite(simulator).status_code for _ in range(3)]

    simulator.control(fault=None)

    assert before == [500, 500, 500]
    assert invite(simulator).status_code == 201


def test_a_fault_can_be_for_one_account(simulator: RunningSimulator) -> None:
    simulator.control(fault="status:500", account="webwinkelkeur/1")

    statuses = [
        requests.get(simulator.url + "/1.0/invitations.json", params={"id": shop, "code": "a"}, timeout=5).status_code
        for shop in ("1", "2")
    ]

    assert statuses == [500, 200]


def test_a_share_of_the_calls_fails_repeatably() -> None:
    runs = []
    for _ in range(2):
        with RunningSimulator(SimulatorOptions(port=0, fail=0.5, seed=1)) as simulator:
            runs.append([invite(simulator).status_code for _ in range(20)])

    assert runs[0] == runs[1]
    assert set(runs[0]) == {500, 201, 422}
    assert runs[0].count(201) == 1
