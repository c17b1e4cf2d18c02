"""Parts of a page in Markdown, and how a field of a model is written there."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

Schema = dict[str, Any]
KINDS = {"string": "text", "integer": "whole number", "idn-email": "e-mail address", "uri": "web address"}
BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "maxLength": "at most {}",
    "maxItems": "at most {} of them",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar within a cell is no border of it."""
    lines = [head, ["---"] * len(head), *rows]
    cells = ([cell.replace("|", r"\|") for cell in line] for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def code(text: object) -> str:
    return f"`{text}`"


def default(field: FieldInfo) -> str:
    """The default as it would be written in a file; `required` where there is none to fall back on."""
    value = field.default
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return "none" if value is None or value in ((), "") or isinstance(value, BaseModel) else code(_as_in_json(value))


def form(schema: Schema) -> str:
    """Which values a field takes, from its JSON Schema."""
    if "anyOf" in schema:
        return " or ".join(form(one) for one in schema["anyOf"] if one.get("type") != "null")
    if "$ref" in schema:
        return f"[{schema['$ref'].rpartition('/')[2]}](#{schema['$ref'].rpartition('/')[2].lower()})"
    if "const" in schema:
        return code(_as_in_json(schema["const"]))
    if "enum" in schema:
        return ", ".join(code(_as_in_json(value)) for value in schema["enum"])
    if schema.get("type") == "array":
        return ", ".join(["a list of " + form(schema["items"]), *_bounds(schema)])
    kind = str(schema.get("format", schema["type"]))
    return ", ".join([KINDS.get(kind, kind), *_bounds(schema)])


def _bounds(schema: Schema) -> list[str]:
    return [words.format(schema[name]) for name, words in BOUNDS.items() if name in schema]


def _as_in_json(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
