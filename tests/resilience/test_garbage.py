"""Whatever stands in Celery's queues or in the inbox, no worker ends over it, and what can be read is delivered."""

import base64
import json
import pickle
from typing import Any

import pytest

from tests.integration.deployment import Deployment, job, within
from tests.resilience.messages import message
from tests.resilience.report import Row
from tests.resilience.storm import Storm
from worker.unreadable import LONGEST

CANARY = "canary-in-garbage"
QUEUE = "invitations"
DEEP = "[" * 100_000 + "]" * 100_000
BLOB = CANARY + "x" * 1_000_000


def lua_alone_reads() -> dict[str, str]:
    """What is noted as taken, and cannot be read then."""
    sound = json.dumps(message(QUEUE) | {"last": 2})
    return {text: sound.replace('"last": 2', f'"last": {text}') for text in ("0x2", "002", "+2", "2.", "nan", '"\n"')}


def no_messages() -> dict[str, str | bytes]:
    """What kombu cannot even take."""
    return {
        "empty": "",
        "no JSON": f"{CANARY} {{",
        "half a message": json.dumps(message("invitations"))[:-20],
        "binary": b"\x80\x04\xff\x00" + CANARY.encode(),
        "null": "null",
        "a number": "17",
        "a list": json.dumps([CANARY]),
        "a job": json.dumps(job("portal", CANARY)),
        "deep": DEEP,
        "a blob": BLOB,
        **{f"{name}, which Lua alone reads": text for name, text in lua_alone_reads().items()},
        "an unknown type": json.dumps({"__type__": CANARY, "__value__": CANARY}),
    }


def bad_messages(queue: str) -> dict[str, Any]:
    """What kombu takes, or should, and Celery stumbles over."""
    tag = {"delivery_tag": CANARY, "body_encoding": "base64"}
    info = {"exchange": "", "routing_key": queue}
    pickled = base64.b64encode(pickle.dumps([[CANARY], {}, {}])).decode()
    return {
        "no properties": {"body": "", "headers": {}},
        "empty properties": message(queue, properties={}),
        "properties that are a list": message(queue, properties=[CANARY]),
        "no delivery_info": message(queue, properties=tag),
        "a tag that is none": message(queue, properties={"delivery_tag": None, "delivery_info": info}),
        "a tag that is a dict": message(queue, properties={"delivery_tag": {}, "delivery_info": info}),
        "an encoding that is none": message(queue, properties={**tag, "delivery_info": info, "body_encoding": CANARY}),
        "a body that is no base64": message(queue, **{"body": "a"}) | {"body": "%%%a"},
        "headers that are a text": message(queue, headers=CANARY),
        "headers that are a list": message(queue, headers=[CANARY]),
        "no headers": message(queue, headers=None) | {"headers": None},
        "an unknown task": message(queue, headers={"task": f"tasks.{CANARY}"}),
        "a task that is a dict": message(queue, headers={"task": {}}),
        "a task that is none": message(queue, headers={"task": None}),
        "an id that is none": message(queue, headers={"id": None}),
        "an id that is a dict": message(queue, headers={"id": {}}),
        "no id": {**message(queue), "headers": {"task": "invitations.send", "lang": "py"}},
        "an unknown task without id": {**message(queue), "headers": {"task": CANARY}},
        "an eta that is none": message(queue, headers={"eta": CANARY}),
        "expires that is none": message(queue, headers={"expires": CANARY}),
        "an unknown content type": message(queue, **{"content-type": f"application/{CANARY}"}),
        "a pickled body": {**message(queue, **{"content-type": "application/x-python-serialize"}), "body": pickled},
        "a body that is no JSON": message(queue, CANARY),
        "a body that is a number": message(queue, "17"),
        "a body that is null": message(queue, "null"),
        "a body that is a text": message(queue, json.dumps(CANARY)),
        "a body that is a dict": message(queue, {CANARY: CANARY}),
        "a body of one": message(queue, [[CANARY]]),
        "arguments that are a number": message(queue, [17, {}, {}]),
        "wrong options": message(queue, [[], {}, [CANARY]]),
        "an unknown compression": message(queue, headers={"compression": CANARY}),
        "a deep body": message(queue, DEEP),
    }


def bad_doorbells() -> dict[str, Any]:
    """Messages for `invitations.deliver` with anything but an invitation's id."""
    headers = {"task": "invitations.deliver"}
    bodies: dict[str, Any] = {
        "an unknown id": [["0" * 32], {}, {}],
        "null": [[None], {}, {}],
        "a dict": [[{CANARY: 1}], {}, {}],
        "no id": [[], {}, {}],
        "two ids": [["0" * 32, CANARY], {}, {}],
        "a blob": [[BLOB], {}, {}],
        "a name": [[], {CANARY: 1}, {}],
    }
    return {name: message(QUEUE, body, headers=headers) for name, body in bodies.items()}


INBOX: dict[str, dict[Any, Any]] = {
    "no job": {"other": CANARY},
    "empty": {"job": ""},
    "binary": {"job": b"\x80\x04\xff\x00" + CANARY.encode(), b"\xff": b"\xff"},
    "a blob": {"job": BLOB},
    "no JSON": {"job": CANARY},
    "a number": {"job": "17"},
    "deep": {"job": DEEP},
}


@pytest.fixture
def storm(deployment: Deployment) -> Storm:
    return Storm(deployment, 60)


def throw(deployment: Deployment, storm: Storm) -> set[bytes]:
    """All of it. Returns what is to be kept, as far as it is kept: whatever is not a doorbell."""
    thrown = [as_bytes(fields.get("job", CANARY)) for fields in INBOX.values()]
    for fields in INBOX.values():
        deployment.redis.xadd("invitations:inbox", fields)
    for garbage in (*no_messages().values(), *map(json.dumps, bad_messages(QUEUE).values())):
        deployment.redis.lpush(QUEUE, garbage)
        thrown.append(as_bytes(garbage)[:LONGEST])
    doorbells = bad_doorbells()
    for garbage in map(json.dumps, doorbells.values()):
        deployment.redis.lpush(QUEUE, garbage)
    storm.hit(len(thrown) + len(doorbells))
    return set(thrown)


def as_bytes(garbage: str | bytes) -> bytes:
    return garbage.encode() if isinstance(garbage, str) else garbage


def test_garbage_ends_no_worker_and_is_kept(deployment: Deployment, storm: Storm, rows: list[Row]) -> None:
    worker = deployment.start_worker("DEBUG", CONCURRENCY="5")
    thrown = throw(deployment, storm)
    storm.begin()
    storm.healed()
    row = storm.end("garbage in queues and inbox")
    rows.append(row)
    within(lambda: deployment.redis.llen(QUEUE) == 0, "an empty queue")
    within(lambda: deployment.redis.xlen("invitations:inbox") == 0, "an empty inbox")
    within(lambda: deployment.redis.hlen("unacked") == 0, "nothing left in the worker's hands")
    assert (row.lost, row.repeated, storm.attempts) == (0, 0, 0)
    kept = deployment.records.many(list(deployment.records.ids("-", "refused")))
    assert len(kept) == len(thrown)
    assert all(record.faults for record in kept)
    assert worker.stop() == 0
    assert CANARY not in worker.text
    assert "Traceback" not in worker.text
