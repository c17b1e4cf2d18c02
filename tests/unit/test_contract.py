"""The published contract: as the code is, valid, and never less than it was."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from ops.contract import published
from tasks.faults import JobError
from tasks.job import Job
from worker.tracing import carried

FILE = Path(__file__).with_name("jobs_of_before.jsonl")
RECORDED = [json.loads(line) for line in FILE.read_text("utf-8").splitlines()]
# What producers of the first published contract may have written; names are only ever added.
FIRST_FIELDS = {
    "Job": "account email order language customer order_total products delay reminder filtercode client "
    "platform_version plugin_version invite idempotency_key reply_to",
    "Customer": "full_name first_name last_name phone_numbers",
    "Product": "id name url image_url sku gtin",
    "Delay": "amount unit",
    "ReplyTo": "task queue",
    "Answer": "id state created faults",
    "Event": "id account order state reason at",
    "Reply": "id account order state reason at",
}
FIRST_REQUIRED = {"Job": {"account", "email"}, "Customer": set(), "Product": {"id", "name", "url"}}
FIRST_STATES = set(
    "queued delivering accepted sent duplicate rejected failed refused suppressed cancelled".split()  # noqa: SIM905
)
FIRST_PLACES = {
    "invitations",
    "invitations:inbox",
    "invitations:answer:{entry}",
    "invitations:events",
    "celery-task-meta-{task}",
    "/api/task/send-task/invitations.send",
    "{queue}",
}


def document(name: str) -> Any:
    return json.loads(next(text for file, text in published().items() if file.name == name))


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    read: dict[str, Any] = document("job.schema.json")
    return read


@pytest.fixture(scope="module")
def parts() -> dict[str, Any]:
    read: dict[str, Any] = document("asyncapi.json")["components"]["schemas"]
    return read


@pytest.mark.parametrize(("file", "text"), published().items(), ids=lambda value: getattr(value, "name", ""))
def test_what_is_published_is_what_the_code_says(file: Path, text: str) -> None:
    assert file.read_text("utf-8") == text, "run: python -m ops.contract"


def test_the_schemas_are_schemas(schema: dict[str, Any], parts: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    for part in parts.values():
        Draft7Validator.check_schema(part)


@pytest.mark.parametrize("line", RECORDED, ids=lambda line: line["from"])
def test_a_job_of_before_is_still_taken(line: dict[str, Any], schema: dict[str, Any]) -> None:
    Job.read(line["job"])
    Job.read(json.dumps(line["job"]))

    assert Draft202012Validator(schema).is_valid(line["job"]) or not line["as_the_schema_says"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": None},
        {"account": "Shop NL"},
        {"emial": "jane@example.com"},
        {"order": "two\nlines"},
        {"order": ""},
        {"delay": {"amount": 5, "unit": "weeks"}},
        {"delay": {"amount": -1, "unit": "days"}},
        {"products": [{"id": "1", "name": "Pear"}]},
        {"products": [{"id": "1", "name": "Pear", "url": "https://shop.example/p/1", "gtin": "12"}]},
        {"order_total": "much"},
        {"invite": "perhaps"},
        {"reply_to": {"task": "shop.told"}},
        {"reply_to": {"task": "shop.told", "queue": "invitations"}},
        {"reply_to": {"task": "shop.told", "queue": "a:b"}},
    ],
    ids=str,
)
def test_what_the_worker_refuses_the_schema_refuses(wrong: dict[str, Any], schema: dict[str, Any]) -> None:
    job = {"account": "shop_nl", "email": "jane@example.com", **wrong}

    with pytest.raises(JobError):
        Job.read(job)
    assert not Draft202012Validator(schema).is_valid(job)


def test_nothing_that_was_published_is_gone(parts: dict[str, Any]) -> None:
    for name, fields in FIRST_FIELDS.items():
        assert set(fields.split()) <= set(parts[name]["properties"]), name
    for name, required in FIRST_REQUIRED.items():
        assert set(parts[name].get("required", ())) <= required, name
    assert set(parts["State"]["enum"]) >= FIRST_STATES
    assert {channel["address"] for channel in document("asyncapi.json")["channels"].values()} >= FIRST_PLACES


def test_both_ways_in_name_the_trace_that_is_carried_on() -> None:
    messages = document("asyncapi.json")["components"]["messages"]

    entry, task = messages["InboxEntry"]["payload"], messages["SendTask"]["headers"]
    assert (entry["required"], task["required"]) == (["job"], ["task", "id"])
    for named in (entry, task):
        told = named["properties"]["traceparent"]
        assert (told["type"], [bool(carried(one)) for one in told["examples"]]) == ("string", [True])
    assert "traceparent" not in messages["ReplyTask"]["headers"]["properties"]
