"""JSON Schemas of what goes in and comes out: of a job, from its model; of the rest, from what the worker writes."""

from typing import Any

from config.texts import escaped
from tasks.job import Job
from worker.records import STATES

IN_DOCUMENT = "#/components/schemas/{model}"

Schema = dict[str, Any]


def job_schema() -> Schema:
    """Of a job, on its own."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_readable(Job.model_json_schema())}


def schemas() -> dict[str, Schema]:
    """All of them by name, as parts of one document that refer to each other."""
    job = _readable(Job.model_json_schema(ref_template=IN_DOCUMENT))
    parts: dict[str, Schema] = job.pop("$defs")
    return {"Job": job, **parts, **_outgoing()}


def _outgoing() -> dict[str, Schema]:
    state = _ref("State")
    text: Schema = {"type": "string"}
    told = {
        "id": {**text, "description": "of the invitation"},
        "account": {**text, "description": "`-` where the job names none that is configured"},
        "order": {**text, "description": "empty where there is none"},
        "state": state,
        "reason": {**text, "description": "why, where there is more to say"},
    }
    return {
        "State": {"enum": list(STATES), "description": "more may be added: take one that you do not know as not final"},
        "Fault": _object(
            "What is wrong with a field of a job; it repeats no value.",
            field={**text, "description": "its path, such as products.0.url"},
            problem={**text, "description": "what was expected, in words"},
        ),
        "Answer": _object(
            "What became of a job.",
            {"faults": {"type": "array", "items": _ref("Fault"), "description": "where it was refused, all of them"}},
            id={**text, "description": "of its invitation"},
            state=state,
            created={"type": "boolean", "description": "false: the invitation was known already"},
        ),
        "Event": _object(
            "A change of state. No personal data.",
            **told,
            at={**text, "pattern": "^[0-9]+$", "description": "milliseconds since the epoch"},
        ),
        "Reply": _object(
            "A final state, as the task that `reply_to` names is sent it. No personal data.",
            **told,
            at={"type": "integer", "description": "milliseconds since the epoch"},
        ),
    }


def _object(description: str, optional: dict[str, Schema] | None = None, /, **required: Schema) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": {**required, **(optional or {})},
        "required": list(required),
    }


def _ref(name: str) -> Schema:
    return {"$ref": IN_DOCUMENT.format(model=name)}


def _readable(schema: Any) -> Any:
    """Patterns with their control characters written out, as any language reads them."""
    if isinstance(schema, dict):
        return {
            name: escaped(value) if name == "pattern" and isinstance(value, str) else _readable(value)
            for name, value in schema.items()
        }
    return [_readable(value) for value in schema] if isinstance(schema, list) else schema
