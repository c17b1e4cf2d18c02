"""WebwinkelKeur and TrustProfile: webwinkelkeur-create.txt and webwinkelkeur-retrieve.txt.

Not on those pages, and chosen here: contents that are present but unusable (an address that is none,
`order_data` that is no JSON or has products without id, name and url, a `delay` that is no number …) answer
the documented "Unexpected error while processing"; a page size out of its range is moved into it; without one
a page has 100 rows.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import ClassVar
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from ops.simulator.checks import is_email, is_text
from ops.simulator.limits import NS_PER_SECOND
from ops.simulator.provider import WRONG, Call, Provider, Verdict
from ops.simulator.state import Account, Invitation, Outcome, account_key, invitation_ref
from ops.simulator.wire import Kind, Reply, Request, json_reply

INVITATIONS = "/1.0/invitations.json"
ORDER_PERMISSIONS = "/2.0/order_permissions.json"

QUEUED = "Invitation successfully added to queue!"
ALREADY_SENT = "Invitation already sent for this order."
RETRIEVED = "Invitations successfully retrieved!"
INCOMPLETE = "Not all obligated variables are set."
WRONG_CREDENTIALS = "Incorrect authentication credentials."
UNEXPECTED = "Unexpected error while processing. Please contact WebwinkelKeur."

NO_SHOP = "404"
"""The id of a shop that is not known."""

WITHOUT_CONSENT = "without-consent"
"""Customers of orders that begin with this did not agree to be invited."""

_FORM = "application/x-www-form-urlencoded"
_MAX_FIELDS = 200
_MAX_TEXT = 2000
_PAGE_SIZE = 100
_ZONE = ZoneInfo("Europe/Amsterdam")
_NUMBER = re.compile(r"\d{1,9}")
_SHAPES = {
    "delay": re.compile(r"\d{1,4}"),
    "language": re.compile(r"[a-z]{2}"),
    "order_total": re.compile(r"-?\d+(\.\d+)?"),
}
_PHONE_NUMBER = re.compile(r"phone_numbers\[\d*\]")


class WebwinkelKeur(Provider):
    """The dashboard's API; credentials are the query parameters `id` and `code`."""

    routes: ClassVar[Mapping[str, Mapping[str, Kind]]] = {
        INVITATIONS: {"POST": "create", "GET": "retrieve"},
        ORDER_PERMISSIONS: {"GET": "consent"},
    }
    broken: ClassVar[str] = UNEXPECTED

    def caller(self, request: Request) -> str:
        return account_key("webwinkelkeur", request.query.get("id", ""))

    def fields(self, request: Request) -> dict[str, object]:
        if not request.has_type(_FORM):
            return {}
        try:
            return dict(parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS))
        except ValueError:
            return {}

    def reference(self, fields: dict[str, object]) -> str:
        email = fields.get("email")
        return invitation_ref(str(email), str(fields.get("order", ""))) if email else ""

    def process(self, call: Call) -> Verdict:
        shop, code = call.request.query.get("id", ""), call.request.query.get("code", "")
        if not shop or not code:
            return self._rejected(INCOMPLETE)
        if shop == NO_SHOP or shop.startswith(WRONG) or code.startswith(WRONG):
            return Verdict(Outcome.REFUSED, self.refused())
        if call.kind == "create":
            return self._create(call)
        if call.kind == "consent":
            return self._permissions(call)
        return self._retrieve(call)

    def error(self, status: int, message: str) -> Reply:
        return json_reply(status, {"status": "error", "message": message})

    def refused(self) -> Reply:
        return self.error(self.options.wwk_error_code, WRONG_CREDENTIALS)

    def _rejected(self, message: str) -> Verdict:
        return Verdict(Outcome.REJECTED, self.error(self.options.wwk_error_code, message))

    def _create(self, call: Call) -> Verdict:
        if not call.fields.get("email"):
            return self._rejected(INCOMPLETE)
        form = {name: str(value) for name, value in call.fields.items()}
        if not _is_usable(form):
            return self._rejected(UNEXPECTED)
        if not call.account.remember(self.reference(call.fields)):
            return Verdict(Outcome.DUPLICATE, json_reply(200, {"status": "success", "message": ALREADY_SENT}))
        self._keep(form, call.account, call.request.at_ns)
        return Verdict(Outcome.ACCEPTED, json_reply(200, {"status": "success", "message": QUEUED}))

    def _keep(self, form: dict[str, str], account: Account, at_ns: int) -> None:
        delay = int(form.get("delay") or 0)
        scheduled_ns = at_ns + round(delay * self.options.day_seconds * NS_PER_SECOND)
        sent_ns = scheduled_ns + round(self.options.send_after * NS_PER_SECOND)
        account.invitations.append(
            Invitation(form["email"], form.get("order", ""), delay, at_ns, scheduled_ns, sent_ns)
        )

    def _retrieve(self, call: Call) -> Verdict:
        query = call.request.query
        offset, size = query.get("offset") or "0", query.get("order") or query.get("limit") or str(_PAGE_SIZE)
        if not (_NUMBER.fullmatch(offset) and _NUMBER.fullmatch(size)):
            return self._rejected(UNEXPECTED)
        kept = call.account.invitations
        first = int(offset)
        page = islice(reversed(kept), first, first + min(max(int(size), 1), _PAGE_SIZE))
        body = {
            "status": "success",
            "message": RETRIEVED,
            "total": len(kept),
            "invitations": [_row(invitation, call.request.at_ns) for invitation in page],
        }
        return Verdict(Outcome.RETRIEVED, json_reply(200, body))

    def _permissions(self, call: Call) -> Verdict:
        order = call.request.query.get("orderNumber", "")
        if not order:
            return self._rejected(INCOMPLETE)
        has_consent = call.has_consent and not order.startswith(WITHOUT_CONSENT)
        return Verdict(Outcome.RETRIEVED, json_reply(200, {"has_consent": has_consent}))


def _is_usable(form: dict[str, str]) -> bool:
    if not is_email(form["email"], _MAX_TEXT):
        return False
    if any(form.get(name) and not shape.fullmatch(form[name]) for name, shape in _SHAPES.items()):
        return False
    if any(name.startswith("phone_numbers") and not _PHONE_NUMBER.fullmatch(name) for name in form):
        return False
    return not form.get("order_data") or _is_order_data(form["order_data"])


def _is_order_data(text: str) -> bool:
    try:
        data = json.loads(text)
    except ValueError:
        return False
    products = data.get("products", []) if isinstance(data, dict) else None
    return isinstance(products, list) and all(_is_product(product) for product in products)


def _is_product(product: object) -> bool:
    """Product data requires at least id, name and url."""
    if not isinstance(product, dict):
        return False
    return all(is_text(_as_text(product.get(name)), _MAX_TEXT) for name in ("id", "name", "url"))


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) else value


def _row(invitation: Invitation, at_ns: int) -> dict[str, object]:
    sent = _local(invitation.sent_ns) if invitation.sent_ns <= at_ns else False
    return {
        "email": invitation.email,
        "order": invitation.order,
        "delay": invitation.delay,
        "datetimes": {
            "created": _local(invitation.created_ns),
            "scheduled": _local(invitation.scheduled_ns),
            "sent": sent,
        },
    }


def _local(ns: int) -> str:
    """A time as the shops read it: Dutch local time without a zone (NOTES.md)."""
    return datetime.fromtimestamp(ns // NS_PER_SECOND, UTC).astimezone(_ZONE).strftime("%Y-%m-%d %H:%M:%S")
