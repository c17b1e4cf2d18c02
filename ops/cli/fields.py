"""The fields of a job as flat texts, which is how options and the columns of a file hold them."""

import json
import re
from collections.abc import Mapping
from typing import Any

PLAIN = (
    "account",
    "email",
    "order",
    "language",
    "order_total",
    "filtercode",
    "client",
    "platform_version",
    "plugin_version",
    "idempotency_key",
)
# In a cell of a file, as JSON.
IN_JSON = ("products", "reply_to")
CUSTOMER = ("full_name", "first_name", "last_name", "phone_numbers")
DELAYS = ("delay", "reminder")
YES_OR_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
COLUMNS = (
    *PLAIN,
    *CUSTOMER,
    *IN_JSON,
    "delay",
    "delay_amount",
    "delay_unit",
    "reminder",
    "reminder_amount",
    "reminder_unit",
    "invite",
)
"""The headers that a CSV file may have; `invitations import --help` says what stands below them."""

_SHORT = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days"}
_WHOLE_DELAY = re.compile(r"\s*\d+\s*[A-Za-z]+\s*")
_DELAY = re.compile(r"(\d*)\s*(.*)", re.DOTALL)


def job_of(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The job that these flat fields make. Empty ones are left out, bad ones left for acceptance to name."""
    job: dict[str, Any] = {name: flat[name] for name in PLAIN if flat.get(name)}
    customer = {name: flat[name] for name in CUSTOMER if flat.get(name)}
    if customer:
        job["customer"] = customer
    job |= {name: flat[name] for name in IN_JSON if flat.get(name)}
    for name in DELAYS:
        if flat.get(name):
            job[name] = delay_of(flat[name])
    if flat.get("invite") not in (None, ""):
        job["invite"] = YES_OR_NO.get(str(flat["invite"]).lower(), flat["invite"])
    return job


def flat_of(cells: Mapping[str, str]) -> dict[str, Any]:
    """The flat fields of one line of a CSV file, by its column names."""
    flat: dict[str, Any] = {name: text.strip() for name, text in cells.items()}
    numbers = flat.get("phone_numbers", "").split(";")
    flat["phone_numbers"] = [number.strip() for number in numbers if number.strip()]
    flat |= {name: _read_json(flat.get(name, "")) for name in IN_JSON}
    for name in DELAYS:
        parts = (flat.get(f"{name}_amount"), flat.get(f"{name}_unit"))
        flat[name] = flat.get(name) or " ".join(filter(None, parts))
    return flat


def delay_of(text: str) -> dict[str, str]:
    """The delay in "5 days", "1 day" or "5d". What is not one is left to be named by acceptance."""
    match = _DELAY.fullmatch(text.strip())
    amount, unit = match.groups() if match else ("", text)
    unit = unit.strip().lower()
    whole = _SHORT.get(unit, f"{unit}s" if unit and not unit.endswith("s") else unit)
    return {"amount": amount, "unit": whole}


def is_delay(text: str) -> bool:
    """Whether it has the form of one: an amount and a unit, whichever they are."""
    return bool(_WHOLE_DELAY.fullmatch(text))


def _read_json(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return text
