"""WebwinkelKeur and its sister brand TrustProfile: the same API on two hosts.

Sources: webwinkelkeur-create.txt, webwinkelkeur-retrieve.txt and NOTES.md of the provider pages.

A call that stayed unanswered: the list is asked before anything is sent again. A row with the same address and order,
made since the job came, is that call. Where it is not listed, or the list cannot tell, the invitation is sent again,
and "already sent" is then our own success.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from config.accounts import WebwinkelkeurAccount
from tasks.delay import Delay
from tasks.faults import Fault
from tasks.job import Job
from tasks.outcome import (
    Accepted,
    Consented,
    CredentialsRefused,
    Duplicate,
    Outcome,
    Rejected,
    Suppressed,
    Unclear,
)
from tasks.providers.base import Provider, Reply, Request
from tasks.providers.language import iso_639_1
from tasks.providers.listing import Page, Row, utc
from tasks.providers.reasons import quote

PATH = "/api/1.0/invitations.json"
CONSENT_PATH = "/api/2.0/order_permissions.json"
_COUNT = re.compile(r"\d{1,9}", re.ASCII)
SOFTWARE = ("client", "platform_version", "plugin_version")
NO_CONSENT = "the customer did not agree to be invited, says the provider: this account requires consent"
NO_CREDENTIALS = "the provider does not know this shop_id and code: check both in its dashboard"


class Webwinkelkeur(Provider[WebwinkelkeurAccount]):
    """Schedules whole days itself. Documents no rate limit. Its address and order make an invitation one.

    Where the account requires consent, the permissions of the order are asked before each invitation: none is sent
    without a plain yes (NOTES.md).
    """

    account_model = WebwinkelkeurAccount
    carries = frozenset({"order", "language", "order_total", "products", "customer", *SOFTWARE})
    lists = True

    def faults(self, job: Job) -> list[Fault]:
        if job.language is None or iso_639_1(job.language):
            return []
        return [Fault(field="language", problem="expected a language that has an ISO-639-1 code, such as nl")]

    def schedules(self, delay: Delay) -> bool:
        return delay.unit == "days"

    def invitation(self, account: WebwinkelkeurAccount, job: Job) -> Request:
        return Request("POST", PATH, form=dict(self._fields(job)))

    def authorise(self, account: WebwinkelkeurAccount, request: Request, token: str | None) -> Request:
        credentials = {"id": str(account.shop_id), "code": account.code.get_secret_value()}
        return replace(request, query={**credentials, **request.query})

    def read(self, account: WebwinkelkeurAccount, job: Job, reply: Reply) -> Outcome | None:
        """The body speaks first, as the code of an error is not documented.

        Words that nobody knows yet are unclear: to call them rejected would burn an invitation over a passing
        fault, to call them unavailable would forget that it may have been taken.
        """
        status, message = _said(reply)
        if status not in ("success", "error"):
            return None
        reason = f"WebwinkelKeur said: {quote(message, job, account)}"
        if "already sent" in message.casefold():
            return Duplicate(reason)
        return Accepted() if status == "success" else _failure(message, reply.status, reason)

    def consent_request(self, account: WebwinkelkeurAccount, job: Job) -> Request | None:
        return Request("GET", CONSENT_PATH, query={"orderNumber": job.order}) if job.order else None

    def read_consent(self, account: WebwinkelkeurAccount, reply: Reply) -> Consented | Outcome | None:
        """Only a plain true is a yes and only a plain false a no: whatever else stands there decides nothing."""
        status, message = _said(reply)
        if status == "error":
            return _failure(message, reply.status, f"WebwinkelKeur said: {quote(message, account=account)}")
        has_consent = (reply.data or {}).get("has_consent")
        if reply.status != HTTPStatus.OK or not isinstance(has_consent, bool):
            return None
        return Consented() if has_consent else Suppressed(NO_CONSENT)

    def list_request(self, account: WebwinkelkeurAccount, offset: int, size: int) -> Request:
        # The page documents `order` for the size of a page; the vendor's own SDK sends `limit`.
        return Request("GET", PATH, query={"offset": str(offset), "order": str(size), "limit": str(size)})

    def read_list(self, account: WebwinkelkeurAccount, reply: Reply) -> Page | Outcome | None:
        status, message = _said(reply)
        if status == "error":
            return _failure(message, reply.status, f"WebwinkelKeur said: {quote(message, account=account)}")
        data = reply.data or {}
        listed = data.get("invitations")
        if status != "success" or not isinstance(listed, list):
            return None
        rows = [row for item in listed if (row := _row(item, account.zone))]
        return Page(rows, _count(data.get("total")), unreadable=len(listed) - len(rows))

    def _fields(self, job: Job) -> Iterator[tuple[str, str]]:
        yield "email", job.email
        if job.order:
            yield "order", job.order
        if job.language and (language := iso_639_1(job.language)):
            yield "language", language
        yield "delay", str(job.delay.amount if job.delay and self.schedules(job.delay) else 0)
        if job.customer.name:
            yield "customer_name", job.customer.name
        for index, number in enumerate(job.customer.phone_numbers):
            yield f"phone_numbers[{index}]", number
        if job.order_total is not None:
            yield "order_total", format(job.order_total, "f")
        if job.products:
            products = [product.model_dump(exclude_none=True) for product in job.products]
            yield "order_data", json.dumps({"products": products})
        for field in SOFTWARE:
            if value := getattr(job, field):
                yield field, value


def _said(reply: Reply) -> tuple[str, str]:
    data = reply.data or {}
    return str(data.get("status")), str(data.get("message", ""))


def _failure(message: str, status: int, reason: str) -> Outcome:
    words = message.casefold()
    if "incorrect authentication" in words:
        return CredentialsRefused(NO_CREDENTIALS)
    if "obligated variables" in words:
        return Rejected(reason)
    if "unexpected error" not in words and status in (401, 403):
        return CredentialsRefused(reason)
    return Unclear(reason if status == HTTPStatus.OK else f"{reason} (HTTP {status})")


def _row(item: Any, zone: ZoneInfo) -> Row | None:
    fields = item if isinstance(item, dict) else {}
    times = fields.get("datetimes")
    times = times if isinstance(times, dict) else {}
    email, order, created = fields.get("email"), fields.get("order"), utc(times.get("created"), zone)
    if not isinstance(email, str) or not email or created is None:
        return None
    return Row(
        email=email,
        order=str(order) if isinstance(order, str | int) and order != "" else None,
        delay_days=_count(fields.get("delay")),
        created=created,
        scheduled=utc(times.get("scheduled"), zone),
        sent=utc(times.get("sent"), zone),
    )


def _count(value: Any) -> int | None:
    return int(value) if _COUNT.fullmatch(str(value)) else None
