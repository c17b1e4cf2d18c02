"""The one error that means: mend the configuration."""

from collections.abc import Iterable

from pydantic import ValidationError


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
        (".".join(str(part) for part in fault["loc"]), _message(fault["type"], fault["msg"]))
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def _message(kind: str, message: str) -> str:
    if kind.startswith("union_tag"):
        return "expected the name of a provider: " + message.rpartition(": ")[2]
    return message.removeprefix("Value error, ")
