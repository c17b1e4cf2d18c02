"""Everything that can go wrong, with canaries wherever something can be said about it."""

import json
import pickle
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

from celery import Celery

from tests.integration.deployment import Deployment
from tests.resilience.canaries import (
    ADDRESS,
    CODE,
    CUSTOMER,
    FETCHED,
    NEWEST_KEY,
    OLDER_KEY,
    OTHER_KEY,
    PRODUCT,
    REDIS_PASSWORD,
    SECRET,
    TOKEN,
    job,
)
from tests.resilience.echo import WAYS

Job = dict[str, Any]
USER = "worker"

LISTS = ("page-500", "refused-401", "refused-400", "nonsense", "redirect", "bad-line", "limits", "hang")
TOKENS = (
    "page-401",
    "page-500",
    "refused-400",
    "refused-401",
    "nonsense",
    "redirect",
    "bad-line",
    "reset",
    "throttled",
)
NO_PROVIDER = {"refused": "http://127.0.0.1:9", "no-tls": "https://{echo}/good", "no-host": "https://nowhere.invalid"}
FINAL = ("accepted", "sent", "duplicate", "rejected", "failed")
PROVIDERS: dict[str, dict[str, Any]] = {
    "shop": {"provider": "webwinkelkeur", "shop_id": 1, "code": CODE},
    "portal": {"provider": "wemasy", "token": TOKEN},
    "reviews": {"provider": "feedbackcompany", "client_secret": SECRET},
}


def add_accounts(deployment: Deployment, echo: str) -> list[str]:
    """An account at each provider for each way of the echo's, and for each way not to reach it. Their names."""
    deployment.accounts.clear()
    roots = {way: f"http://{echo}/{way}" for way in WAYS} | {
        way: root.format(echo=echo) for way, root in NO_PROVIDER.items()
    }
    for kind in PROVIDERS:
        for way, root in roots.items():
            _add(deployment, kind, way, root)
    for way in LISTS:
        _add(deployment, "shop", f"list-{way}", f"http://{echo}/list-{way}")
    for way in TOKENS:
        _add(deployment, "reviews", f"token-{way}", f"http://{echo}/token-{way}")
    deployment.add_account("slow", **PROVIDERS["portal"], base_url=f"http://{echo}/hang", timeout=4, max_attempts=1)
    deployment.add_account("stumbles", **PROVIDERS["shop"], base_url=f"http://{echo}/good", timeout=1)
    return list(deployment.accounts)


def _add(deployment: Deployment, kind: str, way: str, root: str) -> None:
    client = {"client_id": f"client-{way}"} if kind == "reviews" else {}
    name = f"{kind}_{way}".replace("-", "_")
    deployment.add_account(name, **PROVIDERS[kind], **client, base_url=root, timeout=1, max_attempts=1)


def misfits() -> list[Any]:
    """Jobs that are refused, with canaries in whatever may be named in an error."""
    name = CUSTOMER["full_name"]
    return [
        job("portal_good", "field", unknown_field=name),
        job("portal_good", "named", **{ADDRESS: name}),
        {f"{name} <{ADDRESS}>": name},
        job(f"account of {name}", "account"),
        job(ADDRESS, "account-2"),
        job("portal_good", f"order of {ADDRESS}", language=name),
        job("portal_good", "nested", products=[{**PRODUCT, "gtin": "tapuit", name: name}], delay=name),
        job("portal_good", "delay", delay={"amount": name, "unit": ADDRESS, ADDRESS: 1}),
        job("portal_good", "address", email=f"{name} {ADDRESS}"),
        job("portal_good", "customer", customer={**CUSTOMER, "phone_numbers": [CUSTOMER, ADDRESS]}),
        job("portal_good", "total", order_total=name, invite=ADDRESS),
        [job("portal_good", "list")],
        f"{name} {ADDRESS}",
        None,
    ]


def send(client: Celery, *jobs: Any) -> list[Any]:
    """The answers to these jobs, errors too."""
    return _answers([client.send_task("invitations.send", args=[one], queue="invitations") for one in jobs])


def send_misfits(client: Celery) -> list[Any]:
    """As one argument, as two, as a keyword and as keywords of a message; to the wrong tasks. Returns the answers."""
    whole = job("portal_good", "arguments")
    calls: list[tuple[list[Any], Job]] = [([one], {}) for one in misfits()]
    calls += [([whole, whole], {}), ([], whole), ([], {"job": {**whole, "order": "keyword"}}), ([], {ADDRESS: whole})]
    sent = [client.send_task("invitations.send", args, named, queue="invitations") for args, named in calls]
    for task in ("deliver", "retrieve", "upkeep", "unknown"):
        for args, named in ([whole], {}), ([ADDRESS, TOKEN], {}), ([], whole):
            client.send_task(f"invitations.{task}", args=args, kwargs=named, queue="invitations")
    return _answers(sent)


def _answers(sent: list[Any]) -> list[Any]:
    return [answer.get(timeout=30, propagate=False) for answer in sent]


def garbage() -> list[str]:
    """Messages in Celery's queue that no client of Celery's would make."""
    whole = json.dumps([[job("portal_good", "garbage")], {}, {}])
    pickled, broken = (b64encode(raw).decode() for raw in (pickle.dumps(whole), f"not JSON: {whole}".encode()))
    bodies = (
        (pickled, "application/x-python-serialize", "base64"),
        (broken, "application/json", "base64"),
        (whole, "application/of-nobody", "utf-8"),
        (json.dumps(job("portal_good", "bare")), "application/json", "utf-8"),
        (json.dumps(ADDRESS), "application/json", "utf-8"),
    )
    headers: tuple[dict[str, str], ...] = ({}, {"task": "invitations.send"}, {"task": "invitations.of-nobody"})
    messages = [_envelope(*body, {**header, "id": str(uuid4())}) for body in bodies for header in headers]
    return [*messages, json.dumps(job("portal_good", "no envelope")), f"no JSON: {whole}"]


def strange_entries() -> list[dict[Any, Any]]:
    """What may stand in the inbox in place of a job."""
    return [
        {"job": ADDRESS},
        {"job": f'{{"account": "portal_good", "email": "{ADDRESS}'},
        {"job": json.dumps(CUSTOMER)},
        {"email": ADDRESS, "name": json.dumps(CUSTOMER)},
        {ADDRESS: ADDRESS},
        {b"job": b"\xff\xfe" + ADDRESS.encode()},
    ]


def _envelope(body: str, kind: str, encoding: str, headers: dict[str, str]) -> str:
    properties = {
        "correlation_id": str(uuid4()),
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": "invitations"},
        "priority": 0,
        "body_encoding": encoding if encoding == "base64" else None,
        "delivery_tag": str(uuid4()),
    }
    return json.dumps(
        {"body": body, "content-encoding": "utf-8", "content-type": kind, "headers": headers, "properties": properties}
    )


def wrong_starts(address: Callable[[str], str]) -> Iterator[tuple[str, dict[str, str], str]]:
    """What cannot start, or goes on trying: which process, with which settings, and the words at which there is nothing
    more to see; none where it ends. `address` gives Redis's for a password."""
    password = {"REDIS_URL": address(f"wrong-{REDIS_PASSWORD}")}
    settings = {
        "REDIS_URL": f"http://{USER}:{REDIS_PASSWORD}@127.0.0.1",
        "ENCRYPTION_KEYS": f"{NEWEST_KEY},{OLDER_KEY}x",
        "CONCURRENCY": SECRET,
    }
    accounts = {
        "ACCOUNTS__SHOP_GOOD__COED": CODE,
        "ACCOUNTS__SHOP_GOOD__SHOP_ID": CODE,
        "ACCOUNTS__PORTAL_GOOD__BASE_URL": f"http://{TOKEN}@api.example.com/?token={TOKEN}",
        "ACCOUNTS__REVIEWS_GOOD__ACCESS_TOKEN": FETCHED,
    }
    yield from (("worker", password, "Cannot connect to"), ("beat", password, "Retrying"))
    yield from ((kind, settings, "") for kind in ("worker", "flower", "cli"))
    yield from ((kind, accounts, "") for kind in ("worker", "beat", "cli"))
    yield from ((kind, {"ENCRYPTION_KEYS": OTHER_KEY}, "") for kind in ("worker", "cli"))
    yield "cli", password, ""
    yield "worker", {"REDIS_URL": f"redis://{USER}:{REDIS_PASSWORD}@127.0.0.1:port/0"}, ""


NAME = str(CUSTOMER["full_name"])
SENDING = ("send", "--account", "portal_good", "--email", ADDRESS, "--full-name", NAME, "--order", "wrong")
READING = (("status",), ("list",), ("show", "0" * 32), ("doctor",), ("doctor", "--reencrypt"))
"""Commands that need Redis."""
FILES: dict[str, bytes] = {
    "jobs.input": "\n".join(json.dumps(one) for one in misfits()).encode(),
    "orders.input": f"account,email,order,{ADDRESS}\nportal_good,{NAME},7,{ADDRESS}\n{ADDRESS}\n".encode(),
    "broken.input": json.dumps(job("portal_good", "broken"))[:-9].encode(),
    "latin.input": f'{{"email": "{ADDRESS}", "customer": "{NAME}"}}'.encode("latin-1", "replace"),
}
FAILING = (
    ("send", "jobs.input"),
    ("send", "broken.input"),
    ("send", "latin.input"),
    ("send", "--account", "portal_good", "--email", NAME, "--full-name", ADDRESS, "--delay", "5 days"),
    ("import", "jobs.input", "--format", "jsonl"),
    ("import", "jobs.input", "--format", "jsonl", "--json"),
    ("import", "orders.input", "--format", "csv"),
    ("import", "broken.input", "--format", "csv"),
    ("import", "latin.input", "--format", "jsonl"),
    ("show", "0" * 32),
)
"""Commands that fail, over FILES."""
