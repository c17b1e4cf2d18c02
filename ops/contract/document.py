"""The AsyncAPI document: where jobs go in, and where answers, events and replies come out. Written from the worker's
side: it receives jobs, and sends the rest."""

from typing import Any

from config.celery_values import INBOX, QUEUE
from ops.contract.schemas import IN_DOCUMENT, Schema, schemas
from tasks.send import send

VERSION = "1.0.0"
EVENTS = "invitations:events"
RESULTS = "celery-task-meta-"
ANSWERS = "invitations:answer:"
TRACEPARENT: Schema = {
    "traceparent": {
        "type": "string",
        "description": "the W3C's, of the producer's trace, which is carried on; anything else counts as none",
        "examples": ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
    }
}
FLOWER = f"/api/task/send-task/{send.name}"


def asyncapi() -> dict[str, Any]:
    """The whole document, version 3 of AsyncAPI."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "The invitation worker",
            "version": VERSION,
            "description": "How other services enqueue invitations, and hear what became of them.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "redis": {"host": "127.0.0.1:6379", "protocol": "redis", "description": "INVITATIONS_REDIS_URL"},
            "flower": {"host": "127.0.0.1:5555", "protocol": "http", "description": "Flower, behind its login"},
        },
        "channels": _channels(),
        "operations": _operations(),
        "components": {"messages": _messages(), "schemas": schemas()},
    }


def _channels() -> dict[str, Any]:
    return {
        "inbox": _channel(INBOX, "InboxEntry", "A stream: add to it with XADD."),
        "answers": _channel(
            f"{ANSWERS}{{entry}}", "Answer", "A list of one answer, for a day.", entry="the id that XADD returned"
        ),
        "celery": _channel(QUEUE, "SendTask", "Celery's queue: publish with any Celery client."),
        "results": _channel(f"{RESULTS}{{task}}", "Result", "Celery's result, for a day.", task="Celery's id"),
        "flower": _channel(FLOWER, "FlowerRequest", "Flower's HTTP API: Celery's queue over HTTP.", server="flower"),
        "events": _channel(EVENTS, "Event", "A stream of the last 100,000 changes: read it with a group of your own."),
        "replies": _channel(
            "{queue}", "ReplyTask", "A queue of Celery's that the job names in `reply_to`.", queue="its `queue`"
        ),
    }


def _channel(address: str, message: str, description: str, server: str = "redis", **parameters: str) -> dict[str, Any]:
    named = {name: {"description": text} for name, text in parameters.items()}
    return {
        "address": address,
        "description": description,
        "servers": [{"$ref": f"#/servers/{server}"}],
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        **({"parameters": named} if named else {}),
    }


def _operations() -> dict[str, Any]:
    ways = {
        "sendByStream": _operation("receive", "inbox", answered="answers"),
        "sendByCelery": _operation("receive", "celery", answered="results"),
        "sendByFlower": {
            **_operation("receive", "flower", answered="results"),
            "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
        },
    }
    return {**ways, "tellEvent": _operation("send", "events"), "tellReply": _operation("send", "replies")}


def _operation(action: str, channel: str, answered: str = "") -> dict[str, Any]:
    reply = {"reply": {"channel": {"$ref": f"#/channels/{answered}"}}} if answered else {}
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, **reply}


def _messages() -> dict[str, Any]:
    job, result = _ref("Job"), {"status": {"enum": ["SUCCESS", "FAILURE", "REVOKED"]}, "result": _ref("Answer")}
    entry: Schema = {
        "job": {"type": "string", "contentMediaType": "application/json", "description": "a Job, as JSON"},
        "answer": {"type": "string", "description": "anything: the answer is wanted"},
        **TRACEPARENT,
    }
    return {
        "InboxEntry": {"payload": {"type": "object", "properties": entry, "required": ["job"]}, "x-job": job},
        "SendTask": _task({"const": send.name}, job, TRACEPARENT),
        "FlowerRequest": {
            "payload": {"type": "object", "properties": {"args": _only(job), "queue": {"const": QUEUE}}},
        },
        "Answer": {"payload": _ref("Answer")},
        "Result": {"payload": {"type": "object", "properties": result, "required": list(result)}},
        "Event": {"payload": _ref("Event")},
        "ReplyTask": _task({"type": "string", "description": "`reply_to.task` of the job"}, _ref("Reply")),
    }


def _task(name: Schema, argument: Schema, optional: Schema | None = None) -> dict[str, Any]:
    """A message of Celery's protocol 2: its body is arguments, named arguments, and what Celery embeds. `optional`:
    headers that may be left out."""
    headers: Schema = {"task": name, "id": {"type": "string", "description": "the same where it is sent again"}}
    return {
        "headers": {"type": "object", "properties": {**headers, **(optional or {})}, "required": list(headers)},
        "payload": {"type": "array", "items": [_only(argument), {"type": "object"}, {"type": "object"}]},
    }


def _only(argument: Schema) -> Schema:
    return {"type": "array", "items": argument, "minItems": 1, "maxItems": 1}


def _ref(name: str) -> Schema:
    return {"$ref": IN_DOCUMENT.format(model=name)}
