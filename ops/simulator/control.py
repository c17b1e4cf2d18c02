"""How the simulator behaves towards each account, and how that is changed while it runs."""

import re
from dataclasses import dataclass, replace
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ops.simulator.faults import DEFAULT_REDIRECT, Fault, check_fault_name
from ops.simulator.limits import parse_rate
from ops.simulator.options import SimulatorOptions
from ops.simulator.wire import Kind

_AS_IN_OPTIONS = frozenset({"limit", "latency_ms", "fail", "has_consent"})
_OF_A_FAULT = frozenset({"count", "retry_after", "redirect_to", "kind"})
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")


class Changes(BaseModel):
    """The body of `POST /_control`. Only what is given is changed.

    reset: first forget all accounts, calls, tokens and earlier changes.
    account: name as in the statistics; null: all.
    limit: as in the options; null takes it away.
    latency_ms, fail, has_consent: as in the options.
    fault: its name (`ops.simulator.faults`), null for none. With it: count (of calls; null: until changed),
    kind (of calls; null: all), retry_after (raw header of a "status:<code>"), redirect_to (host and port of a
    "redirect").
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    reset: bool = False
    account: str | None = None
    limit: str | None = None
    latency_ms: Annotated[int, Field(ge=0, le=3_600_000)] = 0
    fail: Annotated[float, Field(ge=0, le=1)] = 0.0
    has_consent: bool = True
    fault: str | None = None
    count: Annotated[int, Field(ge=1)] | None = None
    kind: Kind | None = None
    retry_after: str | None = None
    redirect_to: str = DEFAULT_REDIRECT

    @field_validator("limit")
    @classmethod
    def _check_limit(cls, limit: str | None) -> str | None:
        if limit is not None:
            parse_rate(limit)
        return limit

    @field_validator("fault")
    @classmethod
    def _check_fault(cls, fault: str | None) -> str | None:
        return None if fault is None else check_fault_name(fault)

    @field_validator("retry_after", "redirect_to")
    @classmethod
    def _check_header(cls, value: str | None) -> str | None:
        if value is not None and not _HEADER_VALUE.fullmatch(value):
            raise ValueError("expected printable ASCII")
        return value

    @model_validator(mode="after")
    def _check_fault_fields(self) -> Self:
        alone = sorted(self.model_fields_set & _OF_A_FAULT)
        if alone and self.fault is None:
            raise ValueError(f"{', '.join(alone)}: expected together with a fault")
        return self


def parse_changes(body: bytes) -> Changes:
    """Read a control request. Raises ValueError that names each wrong field, and what was expected."""
    try:
        return Changes.model_validate_json(body)
    except ValidationError as error:
        faults = [
            (
                ".".join(str(part) for part in fault["loc"]) or "body",
                fault["msg"].removeprefix("Value error, "),
            )
            for fault in error.errors(include_url=False, include_input=False)
        ]
        raise ValueError("; ".join(f"{field}: {message}" for field, message in faults)) from None


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What calls of one account meet; see `Changes`. `limit` is text that `parse_rate` understands."""

    limit: str | None
    latency_ms: int
    fail: float
    has_consent: bool
    fault: Fault | None = None


class Control:
    """The behaviour towards every account, and those that were singled out."""

    def __init__(self, options: SimulatorOptions) -> None:
        self._default = Behaviour(options.limit, options.latency_ms, options.fail, options.has_consent)
        self._special: dict[str, Behaviour] = {}

    def towards(self, account: str) -> Behaviour:
        """The behaviour that calls of this account meet."""
        return self._special.get(account, self._default)

    def apply(self, changes: Changes) -> None:
        """Change the behaviour towards one account, or towards all, those singled out before included.

        A fault with a count for all accounts is met by that many calls together.
        """
        given = changes.model_dump(include=changes.model_fields_set & _AS_IN_OPTIONS)
        if "fault" in changes.model_fields_set:
            given["fault"] = _new_fault(changes)
        if changes.account is not None:
            self._special[changes.account] = replace(self.towards(changes.account), **given)
            return
        self._default = replace(self._default, **given)
        self._special = {key: replace(behaviour, **given) for key, behaviour in self._special.items()}


def _new_fault(changes: Changes) -> Fault | None:
    if changes.fault is None:
        return None
    return Fault(changes.fault, changes.count, changes.kind, changes.retry_after, changes.redirect_to)
