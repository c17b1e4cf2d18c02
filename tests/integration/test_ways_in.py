"""Every way in leads to the provider, by real processes; all of them lead to the same invitation."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.integration.deployment import FLOWER_LOGIN, Deployment, Job, job, within
from worker.vault import Vault

Way = Callable[[Deployment, Job], None]
ENQUEUE = "import json, sys; from tasks.enqueue import enqueue; enqueue(json.loads(sys.argv[1]))"


@pytest.fixture(scope="module", autouse=True)
def _worker(deployment: Deployment) -> None:
    deployment.start_worker()


@pytest.fixture(scope="module")
def flower(deployment: Deployment) -> str:
    return deployment.start_flower()[1]


def by_celery(deployment: Deployment, job: Job) -> None:
    deployment.client().send_task("invitations.send", args=[job], queue="invitations")


def by_stream(deployment: Deployment, job: Job) -> None:
    deployment.redis.xadd("invitations:inbox", {"job": json.dumps(job)})


def by_python(deployment: Deployment, job: Job) -> None:
    deployment.run_python("-c", ENQUEUE, json.dumps(job)).end()


def by_command(deployment: Deployment, job: Job) -> None:
    file = deployment.folder / "job.json"
    file.write_text(json.dumps(job), "utf-8")
    deployment.run_python("-m", "ops.cli", "send", str(file), "--json").end()


WAYS = [by_celery, by_stream, by_python, by_command]


def the_one(deployment: Deployment, job: Job) -> str:
    """The id of the invitation of this job; enqueued again, which changes nothing."""
    receipt = deployment.accept(job)[0]
    assert not receipt.created
    return receipt.id


@pytest.mark.parametrize("account", ["shop_nl", "portal", "reviews"])
def test_a_celery_client_without_our_code_sends_by_name(deployment: Deployment, account: str) -> None:
    sent = job(account, f"celery-{account}")
    answer = deployment.client().send_task("invitations.send", args=[sent], queue="invitations").get(timeout=20)
    assert answer == {"id": answer["id"], "state": "queued", "created": True}
    record = deployment.wait_for(answer["id"], "accepted")
    assert (record.account, record.order, record.attempts) == (account, sent["order"], 0)
    assert deployment.events(record.id) == ["queued", "delivering", "accepted"]
    assert [call["status"] for call in deployment.calls(sent)] == [201 if account != "shop_nl" else 200]


@pytest.mark.parametrize("way", WAYS)
def test_a_job_is_delivered_once(deployment: Deployment, way: Way) -> None:
    sent = job("shop_nl", way.__name__)
    way(deployment, sent)
    within(lambda: deployment.calls(sent) != [], f"a call about what came {way.__name__}")
    record = deployment.wait_for(the_one(deployment, sent), "accepted")
    assert (record.attempts, record.throttled, len(deployment.calls(sent))) == (0, 0, 1)


def test_flowers_api_sends(deployment: Deployment, flower: str) -> None:
    sent = job("shop_nl", "by_flower")
    answer = requests.post(
        f"{flower}/api/task/send-task/invitations.send",
        json={"args": [sent], "queue": "invitations"},
        auth=FLOWER_LOGIN,
        timeout=20,
    )
    assert answer.status_code == 200
    result = deployment.client().AsyncResult(answer.json()["task-id"]).get(timeout=20)
    assert result["created"] is True
    assert deployment.wait_for(result["id"], "accepted").attempts == 0
    assert len(deployment.calls(sent)) == 1


def test_the_command_prints_what_became_of_the_job(deployment: Deployment) -> None:
    file = deployment.folder / "printed.json"
    file.write_text(json.dumps(job("portal", "printed")), "utf-8")
    printed = [deployment.run_python("-m", "ops.cli", "send", str(file), "--json") for _ in range(2)]
    assert [one.end() for one in printed] == [0, 0]
    answers = [json.loads(one.text) for one in printed]
    assert sorted(answer.pop("created") for answer in answers) == [False, True]
    assert answers[0]["id"] == answers[1]["id"]
    deployment.wait_for(answers[0]["id"], "accepted")


def test_flowers_api_wants_the_password(flower: str) -> None:
    answer = requests.post(f"{flower}/api/task/send-task/invitations.send", json={"args": [{}]}, timeout=20)
    assert answer.status_code == 401


def test_the_same_job_by_every_way_is_one_invitation_and_one_call(deployment: Deployment) -> None:
    sent = job("portal", "every-way")
    for way in WAYS:
        way(deployment, {**sent, "email": sent["email"].upper()})
    answer = deployment.client().send_task("invitations.send", args=[sent], queue="invitations").get(timeout=20)
    assert answer["created"] is False
    within(lambda: deployment.redis.xlen("invitations:inbox") == 0, "an empty inbox")
    deployment.wait_for(answer["id"], "accepted")
    assert len(deployment.calls(sent)) == 1
    assert deployment.events(answer["id"]) == ["queued", "delivering", "accepted"]


def test_an_idempotency_key_makes_two_invitations_of_one_address_and_order(deployment: Deployment) -> None:
    sent = job("portal", "keyed")
    jobs = [sent, {**sent, "idempotency_key": "a"}, {**sent, "idempotency_key": "a"}, {**sent, "idempotency_key": "b"}]
    receipts = deployment.accept(*jobs)
    assert [receipt.created for receipt in receipts] == [True, True, False, True]
    states = sorted(deployment.wait_for(receipts[place].id, "accepted", "duplicate").state for place in (0, 1, 3))
    assert states == ["accepted", "duplicate", "duplicate"]
    assert len(deployment.calls(sent)) == 3


def faults_of(deployment: Deployment, account: str) -> list[list[dict[str, str]]]:
    return [list(deployment.record(one).faults) for one in deployment.records.ids(account, "refused")]


@pytest.mark.parametrize("way", WAYS)
def test_a_refused_job_is_kept_with_its_faults_and_the_ones_behind_it_are_delivered(
    deployment: Deployment, way: Way
) -> None:
    name = way.__name__
    before = deployment.count("shop_nl", "refused")
    good = job("shop_nl", f"behind-{name}")
    way(deployment, {**job("shop_nl", f"bad-{name}"), "email": f"{name} is no address", "unknown": 1})
    way(deployment, good)
    within(lambda: deployment.calls(good) != [], "a call about the job behind the refused one")
    assert deployment.wait_for(the_one(deployment, good), "accepted").attempts == 0
    assert deployment.count("shop_nl", "refused") == before + 1
    newest = deployment.record(next(deployment.records.ids("shop_nl", "refused")))
    assert newest.faults == (
        {"field": "email", "problem": "expected an e-mail address, such as jane@example.com"},
        {"field": "unknown", "problem": "is not a field of a job"},
    )
    assert f"{name} is no address" in Vault().open(newest.job)
    assert deployment.events(newest.id) == ["refused"]


def test_a_celery_client_is_told_the_faults(deployment: Deployment) -> None:
    bad = {"account": "nobody", "email": "jane@example.com"}
    answer = deployment.client().send_task("invitations.send", args=[bad], queue="invitations").get(timeout=20)
    assert (answer["state"], answer["created"]) == ("refused", True)
    assert answer["faults"] == [{"field": "account", "problem": "is not configured here"}]


def test_a_celery_client_that_sends_no_job_is_told_how(deployment: Deployment) -> None:
    answer = deployment.client().send_task("invitations.send", args=[], queue="invitations").get(timeout=20)
    problem = "was not given; expected it as the only argument: args=[job]"
    assert (answer["state"], answer["faults"]) == ("refused", [{"field": "job", "problem": problem}])


GARBAGE: dict[str, dict[Any, Any]] = {
    "no job field": {"invitation": "1"},
    "not JSON": {"job": "{'account': "},
    "a JSON list": {"job": "[1, 2]"},
    "100 kB": {"job": "x" * 100_000},
    "nested deeply": {"job": "[" * 50_000},
    "not UTF-8": {"job": b"\xff\xfe\x00"},
    "a field that is not UTF-8": {"job": b'{"account": "portal"}', b"\xff": b"\xff"},
    "half a surrogate pair": {"job": '{"account": "portal", "email": "\\ud83d@example.com"}'},
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_in_the_inbox_is_kept_as_refused_and_stops_nobody(deployment: Deployment, kind: str) -> None:
    refused = deployment.count("-", "refused") + deployment.count("portal", "refused")
    good = job("portal", f"behind {kind}".replace(" ", "-"))
    deployment.redis.xadd("invitations:inbox", GARBAGE[kind])
    by_stream(deployment, good)
    within(lambda: deployment.calls(good) != [], "a call about the job behind the garbage", seconds=5)
    within(lambda: deployment.redis.xlen("invitations:inbox") == 0, "an empty inbox", seconds=5)
    assert deployment.redis.xpending("invitations:inbox", "workers")["pending"] == 0
    assert deployment.count("-", "refused") + deployment.count("portal", "refused") == refused + 1
