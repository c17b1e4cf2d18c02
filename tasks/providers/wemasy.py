"""Wemasy: invites a customer to an account of the shop, so the address alone is the identity.

Source: wemasy-invite.txt and NOTES.md of the provider pages.

A call that stayed unanswered: it is made again, and a 422 that says that the address is registered means that the first
one had arrived. Whether the shop had registered the address by other means just then cannot be told.
"""

import re
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from config.accounts import WemasyAccount
from tasks.delay import Delay
from tasks.faults import Fault, field_path
from tasks.job import Customer, Job
from tasks.outcome import Accepted, CredentialsRefused, Duplicate, Outcome, Rejected, Unclear
from tasks.providers.base import Provider, Reply, Request
from tasks.providers.reasons import quote

PATH = "/api/services/webshop/v1/customers/invite"
MAX_CHARS = 191
REGISTERED = re.compile(
    r"\b(already|taken)\b|(?<!not )\b(registered|exists)\b"
    r"|\b(bestaat al|al geregistreerd|reeds|in gebruik)\b"
)
_REFERENCE = re.compile(r"[\w-]{1,64}", re.ASCII)
NO_TOKEN = "Wemasy does not know this token: check it, or make a new one"
NO_PERMISSION = "Wemasy knows this token, but it may not invite customers: give it that permission"


class Wemasy(Provider[WemasyAccount]):
    """Schedules nothing: the mail leaves at once."""

    account_model = WemasyAccount
    carries = frozenset({"customer"})

    def faults(self, job: Job) -> list[Fault]:
        if len(job.email) <= MAX_CHARS:
            return []
        return [Fault(field="email", problem=f"expected at most {MAX_CHARS} characters for Wemasy")]

    def schedules(self, delay: Delay) -> bool:
        return False

    def invitation(self, account: WemasyAccount, job: Job) -> Request:
        first, last = _names(job.customer)
        names = {"firstname": first, "lastname": last}
        body = {"email": job.email, **{field: name[:MAX_CHARS] for field, name in names.items() if name}}
        return Request("POST", PATH, json=body)

    def authorise(self, account: WemasyAccount, request: Request, token: str | None) -> Request:
        bearer = {"Authorization": f"Bearer {account.token.get_secret_value()}"}
        return replace(request, headers={**request.headers, **bearer})

    def read(self, account: WemasyAccount, job: Job, reply: Reply) -> Outcome | None:
        if reply.status == HTTPStatus.UNAUTHORIZED:
            return CredentialsRefused(NO_TOKEN)
        if reply.status == HTTPStatus.FORBIDDEN:
            return CredentialsRefused(NO_PERMISSION)
        if reply.data is None:
            return None
        said = f"Wemasy said: {quote(reply.data.get('message'), job, account)}"
        if reply.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            return _unprocessable(reply.data, said)
        if reply.status != HTTPStatus.CREATED:
            return None
        return Unclear(said) if reply.data.get("error") else Accepted(reference=_reference(reply.data))


def _names(customer: Customer) -> tuple[str | None, str | None]:
    """First and last name; a full name alone is split after its first word."""
    if customer.first_name or customer.last_name or not customer.full_name:
        return customer.first_name, customer.last_name
    first, _, last = customer.full_name.partition(" ")
    return first, last.strip() or None


def _unprocessable(data: dict[str, Any], said: str) -> Outcome:
    """One code for "invalid" and for "registered before"; the words on the address tell them apart."""
    errors = data.get("errors")
    errors = errors if isinstance(errors, dict) else {}
    words = str(errors.get("email") or (data.get("message") if not errors else "")).casefold()
    if REGISTERED.search(words):
        return Duplicate("Wemasy knows this address already")
    fields = ", ".join(field_path((name,)) for name in list(errors)[:5]) or "the request"
    return Rejected(f"Wemasy does not take {fields}. {said}")


def _reference(data: dict[str, Any]) -> str | None:
    """The customer's id: at the top as in the page's sample, or under `data` as in its table."""
    inner = data.get("data")
    places = (data, inner if isinstance(inner, dict) else {})
    for customer in (place.get("customer") for place in places):
        if isinstance(customer, dict) and _REFERENCE.fullmatch(str(customer.get("id", ""))):
            return str(customer["id"])
    return None
