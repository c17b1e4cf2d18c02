"""The Feedback Company's "Order" object, checked as feedbackcompany-orders.txt describes it."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ops.simulator.checks import is_count, is_email, is_gtin13, is_text, is_url
from ops.simulator.limits import NS_PER_SECOND

EXAMPLE_GTIN = "0075678164124"
"""From the page's own example, which is to be accepted although GS1 gives 5 for its check digit."""

_MAX_TEXT = 250
_MAX_URL = 2000
_WEEK = 5
_REMINDER_AFTER = timedelta(hours=24)
_ZONE = ZoneInfo("Europe/Amsterdam")
_UNITS = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1), "days": timedelta(days=1)}


def _short(value: object) -> bool:
    return is_text(value, _MAX_TEXT)


def _address(value: object) -> bool:
    return is_email(value, _MAX_TEXT)


def _link(value: object) -> bool:
    return is_url(value, _MAX_URL)


def _gtin(value: object) -> bool:
    return is_gtin13(value) or value == EXAMPLE_GTIN


def _filtercode(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _MAX_TEXT


Rules = dict[str, tuple[Callable[[object], bool], bool, str]]

_TEXT = f"a non-empty string of at most {_MAX_TEXT} characters"
_ORDER: Rules = {
    "external_id": (_short, True, _TEXT),
    "filtercode": (_filtercode, False, f"a string of at most {_MAX_TEXT} characters"),
}
_CUSTOMER: Rules = {
    "email": (_address, True, "a valid email address"),
    "fullname": (_short, False, _TEXT),
}
_PRODUCT: Rules = {
    "external_id": (_short, True, _TEXT),
    "name": (_short, True, _TEXT),
    "url": (_link, True, "a valid url"),
    "sku": (_short, False, _TEXT),
    "gtin": (_gtin, False, "a valid GTIN-13 code"),
    "image_url": (_link, False, "a valid url"),
}


def order_faults(order: dict[str, object], at_ns: int) -> list[str]:
    """What is wrong with an order that arrives at `at_ns` (ns, wall clock): properties, never values."""
    faults = list(_broken(_ORDER, order, ""))
    faults += _object_faults(_CUSTOMER, order.get("customer"), "customer")
    faults += _product_faults(order.get("products", []))
    if "invitation" in order:
        faults += _invitation_faults(order["invitation"], at_ns)
    return faults


def _broken(rules: Rules, values: dict[str, object], prefix: str) -> Iterator[str]:
    for name, (is_good, required, expected) in rules.items():
        if (required or name in values) and not is_good(values.get(name)):
            yield f"{prefix}{name}: {expected}"


def _object_faults(rules: Rules, value: object, name: str) -> list[str]:
    return list(_broken(rules, value, f"{name}.")) if isinstance(value, dict) else [f"{name}: an object"]


def _product_faults(products: object) -> list[str]:
    if not isinstance(products, list):
        return ["products: an array"]
    faults: list[str] = []
    for index, product in enumerate(products):
        faults += _object_faults(_PRODUCT, product, f"products[{index}]")
    return faults


def _invitation_faults(invitation: object, at_ns: int) -> list[str]:
    if not isinstance(invitation, dict):
        return ["invitation: an object"]
    names = ["delay", "reminder"] if "reminder" in invitation else ["delay"]
    wrong = [name for name in names if not _is_delay(invitation.get(name))]
    faults = [f"invitation.{name}: a unit and an amount" for name in wrong]
    if faults or "reminder" not in invitation:
        return faults
    try:
        now = datetime.fromtimestamp(at_ns // NS_PER_SECOND, _ZONE)
        gap = _after(now, invitation["reminder"]) - _after(now, invitation["delay"])
    except OverflowError:
        return ["invitation: times that can be reached"]
    return [] if gap >= _REMINDER_AFTER else ["invitation.reminder: at least 24 hours after the delay"]


def _is_delay(delay: object) -> bool:
    if not isinstance(delay, dict):
        return False
    return delay.get("unit") in (*_UNITS, "weekdays") and is_count(delay.get("amount"))


def _after(now: datetime, delay: dict[str, object]) -> datetime:
    """Local time plus a delay; a day has 24 hours on the clock, so that summer time shortens no reminder."""
    unit, amount = str(delay["unit"]), delay["amount"]
    assert isinstance(amount, int)
    return now + _UNITS[unit] * amount if unit in _UNITS else _after_weekdays(now, amount)


def _after_weekdays(now: datetime, amount: int) -> datetime:
    if amount == 0:
        return now
    past_friday = max(now.weekday() - (_WEEK - 1), 0)
    weeks, days = divmod(amount, _WEEK)
    moment = now - timedelta(days=past_friday)
    over_weekend = 2 if moment.weekday() + days >= _WEEK else 0
    return moment + timedelta(weeks=weeks, days=days + over_weekend)
