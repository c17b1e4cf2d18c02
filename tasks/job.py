"""The job that producers enqueue, as in the contract: what may stand in it, and in which form.

Its texts are single lines: one with a control character is a fault. In a product's name alone, which shops copy from
their catalogue, tabs and line breaks become spaces.
"""

import math
import re
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails

from config.errors import in_words
from config.near import did_you_mean
from config.texts import NOT_ONE_LINE, STEERING, one_line
from tasks.delay import Delay, in_ms
from tasks.faults import Fault, JobError, field_path
from tasks.field_names import names_in, path_of

DAY_MS = 86_400_000
MOST_FAULTS = 100
BREAKS = re.compile(r"[\t\r\n]+")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
PLAIN_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
# The example of The Feedback Company's page, and of our contract, has a wrong check digit; examples must work.
SAMPLE_GTIN = "0075678164124"
# In the core of pydantic a text is looked through three times as fast as by a function of ours.
ONE_LINE = rf"^[^{STEERING.pattern.strip('[]')}]*$"
_URL: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)
_DELAYS = ("delay", "reminder")
# Where a reply may go, and where not: to the queue and the tasks of this project, and what Celery keeps beside queues.
NAME, OURS = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"), re.compile(r"^(invitations(\.|$)|unacked)")


def _address(value: str) -> str:
    local, _, domain = value.rpartition("@")
    plain = len(value) <= 254 and len(local) <= 64 and PLAIN_LOCAL_PART.fullmatch(local)
    # The check is slow, and customers share few domains: of a plain address only the domain needs it.
    if not (_is_domain(domain) if plain else _is_address(value)):
        raise ValueError("expected an e-mail address, such as jane@example.com")
    return unicodedata.normalize("NFC", value)


@lru_cache(maxsize=4096)
def _is_domain(domain: str) -> bool:
    return _is_address(f"plain@{domain}")


def _is_address(value: str) -> bool:
    try:
        validate_email(value, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


def _url(value: str) -> str:
    try:
        _URL.validate_python(value)
    except ValidationError:
        raise ValueError("expected a web address, such as https://shop.example/p/1") from None
    return value


def _gtin(value: str) -> str:
    if value == SAMPLE_GTIN:
        return value
    digits = [int(digit) for digit in value] if value.isascii() and value.isdigit() else []
    weighed = sum(digit * (3 if index % 2 else 1) for index, digit in enumerate(reversed(digits)))
    if len(digits) not in (8, 12, 13, 14) or weighed % 10:
        raise ValueError("expected a GTIN of 8, 12, 13 or 14 digits with a right check digit")
    return value


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("expected a text")
    return value


def _catalogue(value: str) -> str:
    return value if value.isprintable() else one_line(BREAKS.sub(" ", value))


def _name_of_others(value: str) -> str:
    if not NAME.fullmatch(value) or OURS.search(value):
        raise ValueError("expected letters, digits, _, - and dots, and no name of the worker's own")
    return value


def _total(value: Decimal) -> Decimal:
    # A nought may carry an exponent that would be written out as millions of noughts.
    return value if value else Decimal(0)


Text = Annotated[str, Field(min_length=1, max_length=2000, pattern=ONE_LINE), BeforeValidator(_finite)]
ProductName = Annotated[str, Field(min_length=1, max_length=2000), BeforeValidator(_finite), AfterValidator(_catalogue)]
Url = Annotated[
    str, Field(max_length=2000, pattern=ONE_LINE, json_schema_extra={"format": "uri"}), AfterValidator(_url)
]
Address = Annotated[str, Field(max_length=250, json_schema_extra={"format": "idn-email"}), AfterValidator(_address)]
Gtin = Annotated[str, Field(json_schema_extra={"pattern": "^([0-9]{8}|[0-9]{12,14})$"}), AfterValidator(_gtin)]
Name = Annotated[
    str,
    Field(max_length=200, json_schema_extra={"pattern": NAME.pattern, "not": {"pattern": OURS.pattern}}),
    AfterValidator(_name_of_others),
]
Total = Annotated[
    Decimal,
    Field(ge=0, allow_inf_nan=False, max_digits=20),
    AfterValidator(_total),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": "^[0-9]+([.][0-9]+)?$"}, {"type": "number", "minimum": 0}]}
    ),
]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        str_strip_whitespace=True,
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,
    )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    __str__ = __repr__


class Customer(_Part):
    """Who is invited; all of it optional."""

    full_name: Text | None = Field(default=None, description="made of the two below where it is left out")
    first_name: Text | None = Field(default=None, description="where the provider takes it apart (Wemasy)")
    last_name: Text | None = Field(default=None, description="the same")
    phone_numbers: tuple[Text, ...] = Field(default=(), max_length=20, description="in any form")

    @property
    def name(self) -> str | None:
        """The full name, or what can be made of its parts."""
        return self.full_name or " ".join(filter(None, (self.first_name, self.last_name))) or None


class Product(_Part):
    """A product of the order."""

    id: Text = Field(description="the shop's own")
    name: ProductName = Field(description="as the shop shows it")
    url: Url = Field(description="its page in the shop")
    image_url: Url | None = Field(default=None, description="a picture of it")
    sku: Text | None = Field(default=None, description="the number by which the shop keeps it in stock")
    gtin: Gtin | None = Field(default=None, description="EAN, UPC or ISBN, with its check digit")


class ReplyTo(_Part):
    """A task of the service that enqueues, which is sent each final state, and the queue that it is read from."""

    task: Name = Field(description="the name of the task")
    queue: Name = Field(description="the queue that a worker of yours reads")

    def __str__(self) -> str:
        """As a record keeps it."""
        return f"{self.queue} {self.task}"


class Job(_Part):
    """One invitation to send: the contract's "A job"."""

    account: str = Field(pattern=r"^[a-z0-9_]+$", max_length=64, description="which account of the accounts file")
    email: Address = Field(description="the customer's address")
    order: Text | None = Field(default=None, description="the order's number")
    language: Text | None = Field(default=None, description="ISO 639, in any of its forms: nl, nl_NL, nld")
    customer: Customer = Field(default=Customer(), description="who is invited")
    order_total: Total | None = Field(default=None, description="a decimal number")
    products: tuple[Product, ...] = Field(default=(), max_length=1000, description="what was ordered")
    delay: Delay | None = Field(default=None, description="how long the invitation waits")
    reminder: Delay | None = Field(default=None, description="when to remind: at least 24 hours after the delay")
    filtercode: Text | None = Field(default=None, description="a text that is kept with the order")
    client: Text | None = Field(default=None, description="the software that asks")
    platform_version: Text | None = Field(default=None, description="of the shop's software")
    plugin_version: Text | None = Field(default=None, description="of the software that asks")
    invite: Literal[True, False] = Field(default=True, description="false registers the order without an invitation")
    idempotency_key: Text | None = Field(default=None, description="an identity instead of account, address and order")
    reply_to: ReplyTo | None = Field(default=None, description="a Celery task that is sent each final state")

    @classmethod
    def read(cls, raw: Any) -> Self:
        """The job in `raw`: a JSON text, or what a JSON text would hold.

        Raises:
            JobError: naming every fault by field.
        """
        try:
            if isinstance(raw, str):
                raw = raw.encode("utf-8", "surrogateescape")
            if isinstance(raw, bytes):
                return cls.model_validate_json(raw)
            return cls.model_validate(raw)
        except ValidationError as error:
            raise JobError(_faults(error)) from None
        except ValueError:
            raise JobError([Fault(field="job", problem="holds a number that is too large")]) from None

    @property
    def counts_weekdays(self) -> bool:
        """Whether it depends on the day how long it waits."""
        return any(delay is not None and delay.unit == "weekdays" for delay in (self.delay, self.reminder))

    def faults_at(self, now_ms: int, zone: ZoneInfo) -> list[Fault]:
        """Faults that depend on the calendar: `now_ms` since the epoch, in the account's time zone."""
        if self.reminder is None:
            return []
        now = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone)
        gap = in_ms(self.reminder, now) - (in_ms(self.delay, now) if self.delay else 0)
        if gap >= DAY_MS:
            return []
        return [Fault(field="reminder", problem="expected at least 24 hours after the delay")]


def _faults(error: ValidationError) -> list[Fault]:
    every = error.errors(include_url=False, include_input=False)
    faults = [Fault(field=field_path(fault["loc"]), problem=_problem(fault)) for fault in every[:MOST_FAULTS]]
    if len(every) > MOST_FAULTS:
        faults.append(Fault(field="job", problem=f"has {len(every) - MOST_FAULTS} more faults"))
    return faults


def _problem(fault: ErrorDetails) -> str:
    if fault["type"] == "extra_forbidden":
        *place, name = fault["loc"]
        known = _names().get(path_of(field_path(tuple(place))) if place else "", [])
        return f"is not a field of a job{did_you_mean(str(name), known)}"
    if fault["type"] == "string_pattern_mismatch" and fault["ctx"]["pattern"] == ONE_LINE:
        return NOT_ONE_LINE
    if fault["type"] == "model_type" and fault["loc"][-1:] and fault["loc"][-1] in _DELAYS:
        return 'expected an amount and a unit, such as {"amount": 5, "unit": "days"}'
    return in_words(fault)


@cache
def _names() -> dict[str, list[str]]:
    return names_in(Job)
