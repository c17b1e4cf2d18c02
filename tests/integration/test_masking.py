"""Nobody who may read logs, events, Flower or metrics learns who is invited, or a credential."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
import requests
from celery import Celery
from cryptography.fernet import Fernet

from tests.integration.deployment import FLOWER_LOGIN, Deployment, Job, within
from tests.integration.processes import Running
from tests.support import free_port

WORD = "canary"
REDIS_PASSWORD = "canary-redis-password"
CUSTOMER = {
    "full_name": "Canaryfull Canaryname",
    "first_name": "Canaryfirst",
    "last_name": "Canarylast",
    "phone_numbers": ["+31655501999"],
}
PRODUCT = {"id": "canary-product", "name": "Canary seed", "url": "https://canary-shop.example/p/1"}
CANARIES = [WORD, "55501999", "98765.43"]


def job(account: str, number: str, **fields: Any) -> Job:
    """Every part of it but the account and the order number is a canary."""
    return {
        "account": account,
        "email": f"canary.{number}@canary-mail.example",
        "order": f"order-{number}",
        "customer": CUSTOMER,
        "order_total": "98765.43",
        "products": [PRODUCT],
        **fields,
    }


@dataclass
class Traces:
    """What everybody may read after the work, by where it stood."""

    texts: dict[str, str] = field(default_factory=dict)
    processes: list[Running] = field(default_factory=list)
    reserved: list[dict[str, Any]] = field(default_factory=list)
    scheduled: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture(scope="module")
def traces(deployment: Deployment) -> Traces:
    deployment.redis.acl_setuser(
        "worker", enabled=True, passwords=[f"+{REDIS_PASSWORD}"], keys=["*"], channels=["*"], categories=["+@all"]
    )
    metrics = free_port()
    deployment.variables |= {
        "REDIS_URL": deployment.redis_url.replace("redis://", f"redis://worker:{REDIS_PASSWORD}@"),
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "METRICS_PORT": str(metrics),
        "CONCURRENCY": "1",
    }
    deployment.add_account(
        "shop_nl", provider="webwinkelkeur", shop_id=1, code="canary-code", max_attempts=1, timeout=2
    )
    deployment.add_account("portal", provider="wemasy", token="canary-token", timeout=2, max_attempts=1)
    deployment.add_account(
        "reviews", provider="feedbackcompany", client_id="client-of-reviews", client_secret="canary-secret", timeout=2
    )
    deployment.add_account("refused", provider="wemasy", token="wrong-canary-token")
    found = Traces()
    found.processes = [deployment.start_worker("DEBUG"), deployment.start_beat("DEBUG")]
    flower, address = deployment.start_flower("--logging=debug", "--debug=True")
    found.processes.append(flower)
    with deployment.capture_events() as events:
        answers = work(deployment, found, address)
        found.texts |= {f"Celery event {number}": json.dumps(event) for number, event in enumerate(events)}
    found.texts |= {"answers": json.dumps(answers), **pages(address, events)}
    found.texts["metrics"] = requests.get(f"http://127.0.0.1:{metrics}/metrics", timeout=10).text
    found.texts |= {f"log of {process.name}": process.text for process in found.processes}
    found.texts |= keys_of(deployment)
    return found


def work(deployment: Deployment, found: Traces, flower: str) -> list[Any]:
    """Accepted, throttled, refused, rejected, failed in several ways, waiting, and not understood."""
    client = deployment.client()
    answers = [send(client, job(account, f"good-{account}")) for account in ("shop_nl", "portal", "reviews", "refused")]
    deployment.redis.xadd("invitations:inbox", {"job": json.dumps(job("portal", "inbox"))})
    answers.append(
        requests.post(
            f"{flower}/api/task/send-task/invitations.send",
            auth=FLOWER_LOGIN,
            timeout=20,
            json={"args": [job("portal", "flower")], "queue": "invitations"},
        ).json()
    )
    answers += [
        fail(deployment, client, fault) for fault in ("html", "reset_after", "hang", "status:422", "status:429")
    ]
    answers += [send(client, broken) for broken in misfits()]
    for arguments in ([job("portal", "two"), job("portal", "two")], [], ["canary text"]):
        answers.append(client.send_task("invitations.send", args=arguments, queue="invitations").get(timeout=20))
    client.send_task("invitations.send", args=[job("portal", "eta")], queue="invitations", countdown=3000)
    client.send_task("invitations.unknown", args=[job("portal", "unknown")], queue="invitations")
    send_bare(client, job("portal", "bare"))
    inspect(deployment, client, found)
    within(lambda: deployment.redis.xlen("invitations:inbox") == 0, "an empty inbox")
    within(lambda: deployment.redis.llen("invitations") == 0, "an empty queue")
    return answers


def send(client: Celery, job: Job) -> Any:
    return client.send_task("invitations.send", args=[job], queue="invitations").get(timeout=20)


def fail(deployment: Deployment, client: Celery, fault: str) -> Any:
    """One call of WebwinkelKeur's that meets the fault."""
    key = deployment.key_at_provider("shop_nl")
    extra = {"retry_after": "1"} if fault == "status:429" else {}
    deployment.simulator.control(account=key, fault=fault, count=1, kind="create", **extra)
    answer = send(client, job("shop_nl", fault.replace(":", "-")))
    deployment.wait_for(answer["id"], "accepted", "failed", "rejected", seconds=30)
    return answer


def misfits() -> list[Job]:
    """Jobs that are refused, with canaries in whatever may be named in an error."""
    return [
        job("portal", "field", unknown_field="canary value"),
        {"Canary Person <canary@canary-mail.example>": "canary"},
        job("canary account", "account"),
        job("portal", "nested", products=[{**PRODUCT, "gtin": "canary"}], delay={"amount": "canary", "unit": "canary"}),
        job("portal", "language", language="canary"),
        job("portal", "address", email="canary person"),
    ]


def send_bare(client: Celery, job: Job) -> None:
    """A message as another language writes it: with no more headers than must be."""
    task = str(uuid4())
    with client.connection_for_write() as connection, connection.channel() as channel:
        client.amqp.Producer(channel).publish(
            [[job], {}, {}],
            routing_key="invitations",
            exchange="",
            serializer="json",
            headers={"lang": "js", "task": "invitations.send", "id": task},
            correlation_id=task,
        )


def inspect(deployment: Deployment, client: Celery, found: Traces) -> None:
    """What the worker tells of its messages while its one thread makes a slow call."""
    deployment.simulator.control(latency_ms=1500)
    slow = job("portal", "slow")
    client.send_task("invitations.send", args=[slow], queue="invitations")
    within(lambda: deployment.calls(slow) != [], "a slow call")
    for number in range(3):
        client.send_task("invitations.send", args=[job("portal", f"behind-{number}")], queue="invitations")
    within(lambda: deployment.redis.hlen("unacked") >= 2, "a message taken by the worker")
    inspector = client.control.inspect(timeout=1)
    told: dict[str, Any] = {name: getattr(inspector, name)() for name in ("active", "reserved", "scheduled")}
    found.texts["inspect"] = json.dumps(told)
    found.reserved = [one for of_worker in (told["reserved"] or {}).values() for one in of_worker]
    found.scheduled = [one["request"] for of_worker in (told["scheduled"] or {}).values() for one in of_worker]
    deployment.simulator.control(latency_ms=0)


def pages(flower: str, events: list[dict[str, Any]]) -> dict[str, str]:
    """Everything that Flower shows."""
    tasks = {event["uuid"] for event in events if "uuid" in event}
    worker = next(event["hostname"] for event in events if event["type"] == "task-received")
    table = "/tasks/datatable?draw=1&start=0&length=1000&order[0][column]=0&columns[0][data]=name&order[0][dir]=asc"
    paths = ["/", "/tasks", table, f"/worker/{worker}", "/broker", "/api/tasks", "/api/workers?refresh=1", "/metrics"]
    paths += [f"{kind}/{task}" for task in tasks for kind in ("/task", "/api/task/info", "/api/task/result")]
    answers = {path: requests.get(flower + path, auth=FLOWER_LOGIN, timeout=20) for path in paths}
    assert {path: answer.status_code for path, answer in answers.items() if answer.status_code not in (200, 404)} == {}
    return {f"Flower's {path}": answer.text for path, answer in answers.items()}


def keys_of(deployment: Deployment) -> dict[str, str]:
    """Everything in Redis but Celery's own messages on their way."""
    readers: dict[Any, Any] = {
        "string": deployment.redis.get,
        "hash": deployment.redis.hgetall,
        "list": lambda key: deployment.redis.lrange(key, 0, -1),
        "set": deployment.redis.smembers,
        "zset": lambda key: deployment.redis.zrange(key, 0, -1),
        "stream": deployment.redis.xrange,
    }
    keys = [key for key in deployment.redis.scan_iter(count=1000) if key != "unacked"]
    return {f"Redis key {key}": f"{key} {readers[deployment.redis.type(key)](key)}" for key in keys}


@pytest.mark.parametrize("canary", CANARIES)
def test_no_canary_is_anywhere(traces: Traces, canary: str) -> None:
    assert [place for place, text in traces.texts.items() if canary in text.lower()] == []


def test_what_waits_in_the_worker_is_shown_masked(traces: Traces) -> None:
    sends = [one for one in traces.reserved if one["name"] == "invitations.send"]
    assert {one["args"] for one in sends} == {"(not shown)"}
    assert {one["kwargs"] for one in sends} == {"(not shown)"}
    assert [(one["name"], one["args"]) for one in traces.scheduled] == [("invitations.send", "(not shown)")]


def test_there_was_something_to_be_seen(traces: Traces, deployment: Deployment) -> None:
    assert [process.alive for process in traces.processes] == [True] * 3
    assert sum("task-received" in text for text in traces.texts.values()) > 30
    states = {
        state: sum(deployment.count(account, state) for account in (*deployment.accounts, "-"))
        for state in ("accepted", "failed", "refused")
    }
    assert states["failed"] >= 3
    assert states["refused"] == len(misfits()) + 3
    assert states["accepted"] >= 9
