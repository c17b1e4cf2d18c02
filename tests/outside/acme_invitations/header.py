"""A provider with a token in a header of its own and with its own list of languages, as that of Kiyoh has; it lists
what it sent.

A call that stayed unanswered: the list is asked before it is made again.
"""

from dataclasses import replace
from http import HTTPStatus
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from config.accounts import BaseAccount, HeaderSecret
from tasks.delay import Delay
from tasks.faults import Fault
from tasks.job import Job
from tasks.outcome import Accepted, CredentialsRefused, Outcome
from tasks.providers.base import Provider, Reply, Request
from tasks.providers.language import iso_639_1
from tasks.providers.listing import Page, Row, utc

LANGUAGES = ("nl", "en", "de", "fr")
PATH = "/v1/invites"


class HeaderAccount(BaseAccount):
    """A location."""

    lists: ClassVar[bool] = True

    provider: Literal["acme_header"]
    base_url: str = Field(default="https://header.acme.example", repr=False)
    location: int = Field(ge=1)
    token: HeaderSecret


class AcmeHeader(Provider[HeaderAccount]):
    """Schedules whole days itself."""

    account_model = HeaderAccount
    carries = frozenset({"order", "language"})
    lists = True

    def faults(self, job: Job) -> list[Fault]:
        if job.language is None or iso_639_1(job.language) in LANGUAGES:
            return []
        return [Fault(field="language", problem=f"expected one that Acme writes in: {', '.join(LANGUAGES)}")]

    def schedules(self, delay: Delay) -> bool:
        return delay.unit == "days"

    def invitation(self, account: HeaderAccount, job: Job) -> Request:
        days = job.delay.amount if job.delay and self.schedules(job.delay) else 0
        language = iso_639_1(job.language or "nl")
        invite = {"location": account.location, "email": job.email, "ref": job.order, "delay": days}
        return Request("POST", PATH, json={**invite, "language": language})

    def authorise(self, account: HeaderAccount, request: Request, token: str | None) -> Request:
        own = {"X-Publication-Api-Token": account.token.get_secret_value()}
        return replace(request, headers={**request.headers, **own})

    def read(self, account: HeaderAccount, job: Job, reply: Reply) -> Outcome | None:
        if reply.status == HTTPStatus.FORBIDDEN:
            return CredentialsRefused("Acme does not know this token for this location")
        return Accepted() if reply.status == HTTPStatus.OK and reply.data else None

    def list_request(self, account: HeaderAccount, offset: int, size: int) -> Request:
        page = {"location": str(account.location), "offset": str(offset), "limit": str(size)}
        return Request("GET", PATH, query=page)

    def read_list(self, account: HeaderAccount, reply: Reply) -> Page | Outcome | None:
        if reply.status == HTTPStatus.FORBIDDEN:
            return CredentialsRefused("Acme does not know this token for this location")
        if reply.status != HTTPStatus.OK or reply.array is None:
            return None
        rows = [row for item in reply.array if (row := _row(item, account.zone))]
        return Page(rows, total=None, unreadable=len(reply.array) - len(rows))


def _row(item: Any, zone: ZoneInfo) -> Row | None:
    match item:
        case {"email": str(email), "ref": str() | None as order, "created": created, "sent": sent}:
            made = utc(created, zone)
            return Row(email, order, None, made, None, utc(sent, zone)) if made else None
    return None
