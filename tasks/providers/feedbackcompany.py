"""The Feedback Company: registers an order, and invites its customer unless told not to.

Source: feedbackcompany-orders.txt and NOTES.md of the provider pages.

A call that stayed unanswered: it is made again, and an answer that knows the `external_id` already means that the first
one had arrived. An answer that was lost on the way to an access token leaves nothing unclear.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from config.accounts import FeedbackcompanyAccount
from tasks.delay import Delay
from tasks.faults import Fault
from tasks.job import Job, Product
from tasks.outcome import Accepted, CredentialsRefused, Duplicate, Outcome, Rejected, Unclear
from tasks.providers.base import Provider, Reply, Request, TokenCall
from tasks.providers.reasons import quote

PATH = "/api/v2/orders"
TOKEN_PATH = "/api/v2/oauth2/token"
MAX_CHARS = 250
GTIN_DIGITS = 13
UNITS = ("minutes", "hours", "days", "weekdays")
EXPIRES_ON = "%B, %d %Y %H:%M:%S %z"
HOUR_MS = 3_600_000
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
SAYING = ("message", "error", "error_description", "errors")
_KNOWN = re.compile(
    r"external[_ ]?id\b.{0,80}\b(already|exists|unique|duplicate|taken|in use)\b"
    r"|\b(already|duplicate)\b.{0,80}\bexternal[_ ]?id\b"
)
_SUBJECT = r"\b(access[_ ]?token|token|credentials?|client_(id|secret))\b"
_FAULT = r"\b(invalid|expired|wrong|unknown|revoked|missing|incorrect|not valid)\b"
_CREDENTIALS = re.compile(
    rf"\b(unauthori[sz]ed|unauthenticated)\b|{_SUBJECT}.{{0,40}}{_FAULT}|{_FAULT}.{{0,40}}{_SUBJECT}"
)
NAME = "The Feedback Company"
NO_CREDENTIALS = f"{NAME} refused the credentials: check access_token, or client_id and client_secret"
NO_PERMISSION = f"{NAME} knows this account, but it may not register orders: ask for that permission"


class Feedbackcompany(Provider[FeedbackcompanyAccount]):
    """Schedules every documented unit itself. `external_id`, the order, makes an order one."""

    account_model = FeedbackcompanyAccount
    carries = frozenset({"order", "products", "customer", "reminder", "filtercode", "invite"})

    def faults(self, job: Job) -> list[Fault]:
        return list(_faults(job))

    def schedules(self, delay: Delay) -> bool:
        return delay.unit in UNITS

    def invitation(self, account: FeedbackcompanyAccount, job: Job) -> Request:
        customer = {"email": job.email, "fullname": job.customer.name}
        order: dict[str, Any] = {"external_id": job.order, "customer": _present(customer)}
        if job.products:
            order["products"] = [_product(product) for product in job.products]
        if job.invite:
            delay = job.delay if job.delay and self.schedules(job.delay) else Delay(amount=0, unit="minutes")
            order["invitation"] = _present({"delay": _delay(delay), "reminder": _delay(job.reminder)})
        return Request("POST", PATH, json=order | _present({"filtercode": job.filtercode}))

    def authorise(self, account: FeedbackcompanyAccount, request: Request, token: str | None) -> Request:
        secret = account.access_token.get_secret_value() if account.access_token else token
        return replace(request, headers={**request.headers, "Authorization": f"Bearer {secret}"})

    def read(self, account: FeedbackcompanyAccount, job: Job, reply: Reply) -> Outcome | None:
        if reply.status == HTTPStatus.UNAUTHORIZED:
            return CredentialsRefused(NO_CREDENTIALS)
        if reply.status == HTTPStatus.FORBIDDEN:
            return CredentialsRefused(NO_PERMISSION)
        if reply.data is None:
            return None
        if reply.data.get("error") or reply.data.get("success") is False:
            return _failure(reply, job, account)
        created = reply.status == HTTPStatus.CREATED or reply.data.get("success") is True
        return Accepted() if created and reply.status < HTTPStatus.MULTIPLE_CHOICES else None

    def token_call(self, account: FeedbackcompanyAccount) -> TokenCall | None:
        if account.access_token or not account.client_id or not account.client_secret:
            return None
        secret = account.client_secret.get_secret_value()
        client = {"client_id": account.client_id, "client_secret": secret, "grant_type": "authorization_code"}
        return TokenCall(Request("GET", TOKEN_PATH, query=client), account.client_id or "", secret)

    def read_token(self, reply: Reply, now: datetime) -> tuple[str, int] | None:
        """An expiry that cannot be read, or is over, counts as one hour: a token that ends sooner costs one
        401."""
        data = reply.data or {}
        token = data.get("access_token")
        if reply.status != HTTPStatus.OK or data.get("error") or not _TOKEN.fullmatch(str(token or "")):
            return None
        try:
            left = datetime.strptime(str(data.get("expires_on")), EXPIRES_ON) - now
        except ValueError:
            left = timedelta()
        left_ms = left // timedelta(milliseconds=1)
        return str(token), left_ms if left_ms > 0 else HOUR_MS


def _failure(reply: Reply, job: Job, account: FeedbackcompanyAccount) -> Outcome:
    """What is known before is a duplicate, whatever the code; else only a code that blames the request
    rejects it."""
    texts = [str(value) for name in SAYING if (value := (reply.data or {}).get(name)) and value is not True]
    words = " ".join(texts).casefold()
    if _KNOWN.search(words):
        return Duplicate(f"{NAME} knows this order already")
    if _CREDENTIALS.search(words) and reply.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return CredentialsRefused(NO_CREDENTIALS)
    said = f"{NAME} said: {quote(' '.join(texts), job, account)}"
    blamed = reply.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
    return Rejected(said) if blamed else Unclear(said)


def _present(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _delay(delay: Delay | None) -> dict[str, Any] | None:
    return {"unit": delay.unit, "amount": delay.amount} if delay else None


def _product(product: Product) -> dict[str, Any]:
    fields = product.model_dump(exclude_none=True)
    gtin = {"gtin": _gtin_13(product.gtin)} if product.gtin else {}
    return {"external_id": fields.pop("id"), **fields, **gtin}


def _gtin_13(gtin: str) -> str:
    """Thirteen digits: shorter codes are the same number with zeros before it, longer ones with a zero too
    many."""
    return gtin.removeprefix("0") if len(gtin) > GTIN_DIGITS else gtin.zfill(GTIN_DIGITS)


def _faults(job: Job) -> Iterator[Fault]:
    if job.order is None:
        yield Fault(field="order", problem=f"is required by {NAME}")
    texts = {"order": job.order, "customer.full_name": job.customer.name, "filtercode": job.filtercode}
    for index, product in enumerate(job.products):
        place = f"products.{index}"
        texts |= {f"{place}.id": product.id, f"{place}.name": product.name, f"{place}.sku": product.sku}
        if product.gtin and len(_gtin_13(product.gtin)) != GTIN_DIGITS:
            yield Fault(field=f"{place}.gtin", problem="expected a GTIN-13, or one that zeros make a GTIN-13")
    for field, text in texts.items():
        if text and len(text) > MAX_CHARS:
            yield Fault(field=field, problem=f"expected at most {MAX_CHARS} characters for {NAME}")
    if job.reminder and job.reminder.unit not in UNITS:
        yield Fault(field="reminder.unit", problem=f"expected one of {', '.join(UNITS)}")
    if not job.invite:
        for field in ("delay", "reminder"):
            if getattr(job, field):
                yield Fault(field=field, problem="expected none where invite is false")
