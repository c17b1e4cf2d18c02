"""What is wrong with a job, field by field. Nothing here repeats a value: a value may be personal."""

import re
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

_FIELD = re.compile(r"[a-z0-9_]{1,64}")


class Fault(BaseModel):
    """One thing that is wrong: the dotted field, and what was expected there."""

    model_config = ConfigDict(frozen=True)

    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What came in place of a job and is none, with why; kept as refused under `account`, where that is known."""

    text: str = field(repr=False)
    fault: Fault
    account: str | None = None


class JobError(ValueError):
    """The job is not valid; `faults` names every fault. The message carries no value of the job."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__(faults)

    def __str__(self) -> str:
        return "; ".join(str(fault) for fault in self.faults)


def field_path(location: tuple[int | str, ...]) -> str:
    """A dotted path of a field; a name that a producer made up is shown only if it looks like a field's."""
    return ".".join(map(field_name, location)) or "job"


def field_name(name: Any) -> str:
    """The name of a field, unless it looks like anything else."""
    text = str(name)
    return text if _FIELD.fullmatch(text) else "(unreadable name)"
