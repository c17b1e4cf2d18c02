"""The names that fields of a job may have: what is none of them may be anybody's, and is repeated nowhere."""

import re
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel

_PLACE = re.compile(r"\.\d+(?=\.|$)")


def paths(model: type[BaseModel], above: str = "") -> Iterator[str]:
    """The dotted path of each field of a model and of what it holds; `[]` stands for a place in a list."""
    for name, field in model.model_fields.items():
        yield (path := f"{above}{name}")
        kind: Any = field.annotation
        if get_origin(kind) is tuple:
            yield (path := f"{path}[]")
        for part in (kind, *get_args(kind)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from paths(part, f"{path}.")


def names_in(model: type[BaseModel]) -> dict[str, list[str]]:
    """The names of the fields that may stand in each path; in '' those of the model itself."""
    found: dict[str, list[str]] = {}
    for path in paths(model):
        if not path.endswith("[]"):
            place, _, name = path.rpartition(".")
            found.setdefault(place, []).append(name)
    return found


def path_of(field: str) -> str:
    """The path of a field as a fault names it: `products[].gtin` of `products.0.gtin`."""
    return _PLACE.sub("[]", field)
