"""The one error that means: mend the configuration."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

REQUIRED = "is required"
_WORDS = {
    "missing": REQUIRED,
    "extra_forbidden": "is not a field of an account of this provider",
    "json_invalid": "is not valid JSON",
    "string_type": "expected a text",
    "string_unicode": "expected a text in UTF-8",
    "string_pattern_mismatch": "expected small letters, digits and _ only",
    **dict.fromkeys(("list_type", "tuple_type"), "expected a list"),
    "model_type": "expected a JSON object",
    "dict_type": "expected a JSON object",
    "union_tag_not_found": 'expected a provider, such as provider = "webwinkelkeur"',
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "expected a whole number"),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "expected a number"),
    **dict.fromkeys(("decimal_type", "decimal_parsing"), "expected a number, such as 1500.99"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "expected true or false"),
}
_WITH_BOUND = {
    "greater_than": "expected more than {gt:g}",
    "greater_than_equal": "expected {ge:g} or more",
    "less_than": "expected less than {lt:g}",
    "less_than_equal": "expected {le:g} or less",
    "string_too_short": "expected at least {min_length} characters",
    "string_too_long": "expected at most {max_length} characters",
    "too_long": "expected at most {max_length} entries",
    "decimal_max_digits": "expected at most {max_digits} digits",
    "literal_error": "expected one of {expected}",
    "union_tag_invalid": "expected the name of a provider: {expected_tags}",
}


class ConfigurationError(Exception):
    """The configuration cannot be used; the message names every fault and what was expected.

    It never carries a value: a value may be a secret.
    """

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "The configuration cannot be used:\n" + "\n".join(f"  - {fault}" for fault in self.faults)


def expected(error: ValidationError) -> list[tuple[str, str]]:
    """The faults of a pydantic error as (dotted field, what was expected), without the values."""
    return [
        (".".join(str(part) for part in fault["loc"]), in_words(fault))
        for fault in error.errors(include_url=False, include_input=False)
    ]


def in_words(fault: Mapping[str, Any]) -> str:
    """What one fault of a pydantic error asks for, in plain words; never a value."""
    kind, bounds = fault["type"], fault.get("ctx", {})
    if kind == "literal_error" and bounds["expected"] == "True or False":
        return _WORDS["bool_type"]
    if kind in ("string_too_short", "too_short") and bounds["min_length"] == 1:
        return "must not be empty"
    if kind in _WITH_BOUND:
        return _WITH_BOUND[kind].format_map(bounds)
    return _WORDS.get(kind, str(fault["msg"]).removeprefix("Value error, "))
