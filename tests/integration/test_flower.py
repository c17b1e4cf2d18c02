"""What Flower shows of one invitation, and of the queues, behind a reverse proxy; and what its buttons do."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.integration.deployment import FLOWER_LOGIN, Deployment, job, within
from tests.integration.processes import Running, celery
from tests.integration.proxy import reverse_proxy
from tests.support import free_port
from worker.ledger import Ledger
from worker.steering import REVOKED, WITHOUT_EFFECT

Event = dict[str, Any]


def start(deployment: Deployment, store: Path, prefix: str = "") -> tuple[Running, int]:
    """Flower, its login in a file, and its port."""
    secrets = deployment.folder / "secrets"
    secrets.mkdir(exist_ok=True)
    (secrets / "INVITATIONS_FLOWER_BASIC_AUTH").write_text(":".join(FLOWER_LOGIN) + "\n")
    port = free_port()
    command = ["env", f"FLOWER_URL_PREFIX={prefix}", *celery("flower", f"--port={port}")]
    running = deployment.start("flower", command, SECRETS_DIR=str(secrets), FLOWER_DB=str(store))
    running.wait_for("Visit me at")
    return running, port


@pytest.fixture(scope="module")
def flower(deployment: Deployment) -> Iterator[str]:
    """Flower's address behind a proxy."""
    deployment.start_worker()
    _, port = start(deployment, deployment.folder / "flower", "of/flower")
    with reverse_proxy(port, "/of/flower/") as url:
        yield url


@pytest.fixture(scope="module")
def events(deployment: Deployment, flower: str) -> Iterator[list[Event]]:
    """All of Celery's events of tasks, as they come."""
    assert flower
    with deployment.capture_events() as captured:
        yield captured


def read(url: str) -> requests.Response:
    answer = requests.get(url, auth=FLOWER_LOGIN, timeout=20)
    assert answer.status_code == 200
    return answer


def test_one_id_shows_retry_and_success(deployment: Deployment, flower: str, events: list[Event]) -> None:
    deployment.simulator.control(
        account=deployment.key_at_provider("portal"), fault="status:429", count=2, retry_after="1"
    )
    invitation = deployment.accept(job("portal", "retried"))[0].id
    record = deployment.wait_for(invitation, "accepted")
    assert (record.throttled, record.attempts) == (2, 0)

    def kinds() -> list[str]:
        return [event["type"] for event in events if event.get("uuid") == invitation]

    within(lambda: "task-succeeded" in kinds(), "the event of the success")
    once = ["task-received", "task-started"]
    assert kinds() == [*once, "task-retried", *once, "task-retried", *once, "task-succeeded"]
    shown = read(f"{flower}/api/task/info/{invitation}").json()
    assert (shown["state"], shown["name"], shown["result"]) == ("SUCCESS", "invitations.deliver", "'accepted'")
    assert (shown["args"], shown["kwargs"], shown["traceback"]) == ("(not shown)", "{'account': 'portal'}", None)
    page = read(f"{flower}/task/{invitation}").text
    assert "SUCCESS" in page
    assert "429" in page


def shows(flower: str, invitation: str, state: str) -> None:
    """Returns once Flower shows the invitation in this state."""
    info = f"{flower}/api/task/info/{invitation}"
    within(lambda: requests.get(info, auth=FLOWER_LOGIN, timeout=20).status_code == 200, "Flower knows it")
    within(lambda: read(info).json()["state"] == state, f"the state {state}")


def test_while_it_waits_it_is_shown_as_retry(deployment: Deployment, flower: str) -> None:
    deployment.simulator.control(
        account=deployment.key_at_provider("shop_nl"), fault="status:429", count=1, retry_after="3600"
    )
    invitation = deployment.accept(job("shop_nl", "waits"))[0].id
    within(lambda: deployment.record(invitation).throttled == 1, "the refusal")
    shows(flower, invitation, "RETRY")
    shown = read(f"{flower}/api/task/info/{invitation}").json()
    assert shown["exception"] == "the provider answered 429: too many calls (Retry-After: 3600 s)"


def test_the_queues_are_shown(flower: str) -> None:
    lengths = read(f"{flower}/api/queues/length").json()["active_queues"]
    assert {queue["name"]: queue["messages"] for queue in lengths} == {"invitations": 0}
    assert "invitations" in read(f"{flower}/broker").text


def test_behind_a_proxy_all_it_links_to_is_found_and_nothing_without_the_login(flower: str) -> None:
    found = set(re.findall(r"""(?:href|src|action)=["'](/[^"']*)""", read(f"{flower}/workers").text))
    origin = flower.removesuffix("/of/flower")

    assert {link for link in found if not link.startswith("/of/flower/")} == set()
    assert [requests.get(origin + link, auth=FLOWER_LOGIN, timeout=20).status_code for link in found] == [200] * len(
        found
    )
    for path in ("workers", "tasks", "api/workers", "api/tasks", "api/task/types"):
        assert requests.get(f"{flower}/{path}", timeout=20).status_code == 401
        assert requests.get(f"{flower}/{path}", auth=("reader", "wrong"), timeout=20).status_code == 401


def press(flower: str, button: str, **fields: str) -> requests.Response:
    return requests.post(f"{flower}/api/{button}", data=fields, auth=FLOWER_LOGIN, timeout=20)


def test_what_waits_is_cancelled_as_soon_as_it_is_revoked(deployment: Deployment, flower: str) -> None:
    ledger = Ledger(deployment.redis)
    ledger.pause("reviews", "the shop moves")
    invitation = deployment.accept(job("reviews", "revoked"))[0].id

    assert press(flower, f"task/revoke/{invitation}").status_code == 200

    assert deployment.wait_for(invitation, "cancelled").reason == REVOKED
    shows(flower, invitation, "REVOKED")
    ledger.resume("reviews")


def test_what_is_called_ends_its_call_when_it_is_terminated_and_does_not_wait_again(
    deployment: Deployment, flower: str
) -> None:
    deployment.simulator.control(
        account=deployment.key_at_provider("reviews"),
        kind="create",
        latency_ms=1000,
        fault="status:429",
        count=1,
        retry_after="3600",
    )
    sent = job("reviews", "terminated")
    invitation = deployment.accept(sent)[0].id
    within(
        lambda: deployment.state(invitation) == "delivering" or deployment.record(invitation).throttled == 1, "a call"
    )

    press(flower, f"task/revoke/{invitation}", terminate="true")

    record = deployment.wait_for(invitation, "cancelled")
    assert (record.reason, record.throttled, len(deployment.calls(sent))) == (REVOKED, 1, 1)


def test_a_button_without_effect_says_so_and_what_to_do(flower: str) -> None:
    def pools() -> dict[str, Any]:
        told = read(f"{flower}/api/workers?refresh=1").json()
        return {name: one["stats"]["pool"] for name, one in told.items() if "stats" in one}

    within(lambda: bool(pools()), "the worker's answer")
    [(worker, pool)] = pools().items()
    assert pool["deliveries"] == "20 threads of their own"

    # Flower waits a second for a worker's answer.
    within(lambda: WITHOUT_EFFECT["pool_grow"] in press(flower, f"worker/pool/grow/{worker}", n="3").text, "the reason")


def test_what_a_client_tells_of_its_own_jobs_is_masked(deployment: Deployment, flower: str) -> None:
    client = deployment.client()
    client.conf.task_send_sent_event = True

    # Nobody reads that queue: there is no event of a worker.
    sent = client.send_task("invitations.send", args=[job("portal", "told")], queue="invitations-of-nobody").id

    shows(flower, sent, "PENDING")
    shown = read(f"{flower}/api/task/info/{sent}").json()
    assert (shown["args"], shown["kwargs"]) == ("(not shown)", "(not shown)")
    for page in (f"task/{sent}", "api/tasks"):
        assert "customer.told" not in read(f"{flower}/{page}").text


def test_what_it_saw_is_there_after_a_restart(deployment: Deployment, flower: str, tmp_path: Path) -> None:
    first, port = start(deployment, tmp_path / "flower")
    invitation = deployment.accept(job("portal", "kept"))[0].id
    shows(f"http://127.0.0.1:{port}", invitation, "SUCCESS")

    first.signal(signal.SIGTERM)
    assert first.end() == 0
    assert "What was seen is saved" in first.text
    _, port = start(deployment, tmp_path / "flower")

    shown = read(f"http://127.0.0.1:{port}/api/task/info/{invitation}").json()
    assert (shown["state"], shown["kwargs"]) == ("SUCCESS", "{'account': 'portal'}")
