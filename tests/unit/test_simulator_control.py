"""What the simulator tells about itself, and how it is changed while it runs."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any, get_args

import pytest
import requests

from ops.simulator import RunningSimulator, SimulatorOptions, account_key, invitation_ref
from ops.simulator.limits import WindowKind
from ops.simulator.state import MAX_ACCOUNTS, Account, State

PATH = "/api/1.0/invitations.json"
FORM = {"email": "jane@example.com", "order": "1"}
ZERO = {
    "calls": 0,
    "accepted": 0,
    "duplicates": 0,
    "rejected_by_limit": 0,
    "rejected": 0,
    "failed": 0,
    "refused_credentials": 0,
    "retrieved": 0,
    "tokens_issued": 0,
    "inside_retry_after": 0,
}


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with RunningSimulator() as running:
        yield running


def create(simulator: RunningSimulator, shop: str = "1", order: str = "1") -> int:
    query = {"id": shop, "code": "a"}
    return requests.post(simulator.url + PATH, params=query, data={**FORM, "order": order}, timeout=5).status_code


def test_a_new_simulator_has_counted_nothing(simulator: RunningSimulator) -> None:
    assert requests.get(simulator.url + "/_stats", timeout=5).json() == {"accounts": {}, "total": ZERO}
    assert requests.get(simulator.url + "/_calls", timeout=5).json() == []


def test_every_call_is_counted_for_its_account_and_in_total(simulator: RunningSimulator) -> None:
    create(simulator)
    create(simulator)
    create(simulator, shop="2")
    create(simulator, shop="wrong")
    requests.get(simulator.url + PATH, params={"id": "1", "code": "a"}, timeout=5)

    stats = requests.get(simulator.url + "/_stats", timeout=5).json()

    assert stats["accounts"] == {
        "webwinkelkeur/1": {**ZERO, "calls": 3, "accepted": 1, "duplicates": 1, "retrieved": 1},
        "webwinkelkeur/2": {**ZERO, "calls": 1, "accepted": 1},
        "webwinkelkeur/wrong": {**ZERO, "calls": 1, "refused_credentials": 1},
    }
    assert stats["total"] == {
        **ZERO,
        "calls": 5,
        "accepted": 2,
        "duplicates": 1,
        "retrieved": 1,
        "refused_credentials": 1,
    }
    assert stats == simulator.stats()


def test_calls_are_listed_without_personal_data(simulator: RunningSimulator) -> None:
    before_ms = time.time_ns() // 1_000_000
    create(simulator)
    requests.get(simulator.url + PATH, params={"id": "1", "code": "a"}, timeout=5)

    answer = requests.get(simulator.url + "/_calls", timeout=5)

    created, listed = answer.json()
    assert before_ms <= created.pop("at_ms") <= listed.pop("at_ms") <= time.time_ns() // 1_000_000
    common = {
        "account": "webwinkelkeur/1",
        "status": 200,
        "inside_retry_after": False,
        "retry_after_age_ms": None,
    }
    assert created == {**common, "kind": "create", "ref": invitation_ref("jane@example.com", "1")}
    assert listed == {**common, "kind": "retrieve", "ref": ""}
    assert "jane" not in answer.text


def test_repeats_of_one_invitation_share_a_ref(simulator: RunningSimulator) -> None:
    for order in ("1", "1", "2"):
        create(simulator, order=order)

    refs = [call["ref"] for call in simulator.calls()]

    assert refs == [invitation_ref("Jane@Example.com", order) for order in ("1", "1", "2")]
    assert refs[0] != refs[2]


@pytest.mark.parametrize(
    ("provider", "credential", "is_client_id", "key"),
    [
        ("webwinkelkeur", "1", False, "webwinkelkeur/1"),
        ("trustprofile", "1", False, "webwinkelkeur/1"),
        ("webwinkelkeur", "", False, "webwinkelkeur/none"),
        ("wemasy", "token", False, "wemasy/3c469e9d"),
        ("wemasy", "", False, "wemasy/none"),
        ("feedbackcompany", "token", False, "feedbackcompany/3c469e9d"),
        ("feedbackcompany", "shop-7", True, "feedbackcompany/shop-7"),
    ],
)
def test_accounts_have_names_without_secrets(provider: str, credential: str, is_client_id: bool, key: str) -> None:
    assert account_key(provider, credential, is_client_id=is_client_id) == key


def test_a_limit_counts_each_account_for_itself(simulator: RunningSimulator) -> None:
    simulator.control(limit="1/minute")

    statuses = [create(simulator, shop=shop) for shop in ("1", "1", "2", "2")]

    assert statuses == [200, 429, 200, 429]
    assert simulator.stats()["accounts"]["webwinkelkeur/1"] == {
        **ZERO,
        "calls": 2,
        "accepted": 1,
        "rejected_by_limit": 1,
    }


def test_a_limit_can_be_for_one_account_and_be_taken_away_for_all(simulator: RunningSimulator) -> None:
    simulator.control(limit="1/minute", account="webwinkelkeur/1")
    limited = [create(simulator, shop=shop) for shop in ("1", "1", "2", "2")]

    simulator.control(limit=None)

    assert limited == [200, 429, 200, 200]
    assert create(simulator, shop="1") == 200


def test_calls_inside_a_running_retry_after_are_marked(simulator: RunningSimulator) -> None:
    simulator.control(fault="status:429", retry_after="1", count=1)
    refused = create(simulator)
    ends = time.monotonic() + 1.05
    inside = create(simulator)
    time.sleep(max(ends - time.monotonic(), 0))
    after = create(simulator)

    assert [refused, inside, after] == [429, 200, 200]
    ages = [call["retry_after_age_ms"] for call in simulator.calls()]
    assert isinstance(ages[1], int)
    assert 0 <= ages[1] < 1000
    assert [ages[0], ages[2]] == [None, None]
    assert [call["inside_retry_after"] for call in simulator.calls()] == [False, True, False]
    assert simulator.stats()["total"]["inside_retry_after"] == 1


def test_of_several_running_retry_afters_the_last_end_counts() -> None:
    account = Account("webwinkelkeur/1", 10)
    account.close(1_000_000, 9_000_000)
    account.close(2_000_000, 5_000_000)

    ages = [account.retry_after_age_ms(ms * 1_000_000) for ms in (0, 1, 6, 8, 9)]

    assert ages == [None, 0, 5, 7, None]


def test_a_retry_after_in_flight_does_not_bind_before_it_was_given(simulator: RunningSimulator) -> None:
    simulator.control(fault="status:429", retry_after="60", count=1, latency_ms=1000)

    async def two_at_once() -> None:
        await asyncio.gather(asyncio.to_thread(create, simulator), asyncio.to_thread(create, simulator))

    asyncio.run(two_at_once())
    simulator.control(latency_ms=0)
    create(simulator)

    calls = simulator.calls()
    assert [call["inside_retry_after"] for call in calls] == [False, False, True]
    age_ms = calls[2]["retry_after_age_ms"]
    assert isinstance(age_ms, int)
    assert 0 <= age_ms < 1000


def test_hundreds_of_slow_calls_wait_at_the_same_time(simulator: RunningSimulator) -> None:
    simulator.control(latency_ms=500)
    host, port = simulator.url.removeprefix("http://").split(":")
    head = f"GET {PATH}?id=1&code=a HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()

    async def call() -> bytes:
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(head)
        line = await reader.readline()
        writer.close()
        return line

    async def all_calls() -> list[bytes]:
        return await asyncio.gather(*(call() for _ in range(300)))

    began = time.monotonic()
    lines = asyncio.run(all_calls())
    took = time.monotonic() - began

    assert lines == [b"HTTP/1.1 200 OK\r\n"] * 300
    assert 0.5 <= took < 10


def test_a_caller_that_left_before_the_answer_is_listed_with_status_0(simulator: RunningSimulator) -> None:
    simulator.control(latency_ms=300)

    with pytest.raises(requests.ReadTimeout):
        requests.post(simulator.url + PATH, params={"id": "1", "code": "a"}, data=FORM, timeout=0.1)
    time.sleep(0.4)

    assert [call["status"] for call in simulator.calls()] == [0]
    assert simulator.stats()["total"]["accepted"] == 1


def test_a_reset_forgets_everything_and_can_change_things_too(simulator: RunningSimulator) -> None:
    simulator.control(fault="status:500")
    create(simulator)

    simulator.control(reset=True, limit="1/minute")

    assert simulator.stats()["accounts"] == {}
    assert simulator.stats()["total"] == ZERO
    assert simulator.calls() == []
    assert [create(simulator), create(simulator)] == [200, 429]


def test_control_works_over_http(simulator: RunningSimulator) -> None:
    answer = requests.post(simulator.url + "/_control", json={"fault": "status:503", "count": 1}, timeout=5)

    assert (answer.status_code, answer.json()) == (200, {"changed": True})
    assert [create(simulator), create(simulator)] == [503, 200]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"limit": "many"}, "limit"),
        ({"latency_ms": -1}, "latency_ms"),
        ({"latency_ms": "50"}, "latency_ms"),
        ({"fail": 2}, "fail"),
        ({"fault": "explode"}, "fault"),
        ({"fault": "status:200"}, "fault"),
        ({"fault": "hang", "count": 0}, "count"),
        ({"fault": "hang", "kind": "delete"}, "kind"),
        ({"fault": "status:503", "retry_after": "1\r\nX: y"}, "retry_after"),
        ({"count": 1}, "body"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_bad_change_is_refused_by_field_and_changes_nothing(
    simulator: RunningSimulator, changes: dict[str, Any], field: str
) -> None:
    answer = requests.post(simulator.url + "/_control", json={"fail": 1, **changes}, timeout=5)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(f"{field}: ")
    assert create(simulator) == 200
    with pytest.raises(ValueError, match=f"^{field}: "):
        simulator.control(**changes)


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("POST", "/_stats"), ("GET", "/api/3.0/invitations.json")])
def test_other_paths_are_not_found_and_not_counted(simulator: RunningSimulator, method: str, path: str) -> None:
    assert requests.request(method, simulator.url + path, timeout=5).status_code == 404
    assert simulator.stats()["total"]["calls"] == 0


def test_accounts_are_bounded() -> None:
    state = State(max_records=1)

    for number in range(MAX_ACCOUNTS + 1):
        state.account(str(number))

    names = list(state.stats()["accounts"])
    assert len(names) == MAX_ACCOUNTS
    assert names[0] == "1"


@pytest.mark.parametrize("window", get_args(WindowKind))
def test_a_limit_given_at_the_start_holds_with_each_kind_of_window(window: WindowKind) -> None:
    with RunningSimulator(SimulatorOptions(port=0, limit="2/minute", window=window)) as simulator:
        assert [create(simulator) for _ in range(3)] == [200, 200, 429]
        assert simulator.calls()[2]["status"] == 429
