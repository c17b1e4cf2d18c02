"""A provider that takes and gives JSON arrays, each of one invitation, as that of Trusted Shops does.

A call that stayed unanswered: it is made again, and "exists" means that the first one had arrived.
"""

from dataclasses import replace
from http import HTTPStatus
from typing import Literal

from pydantic import Field

from config.accounts import BaseAccount, HeaderSecret
from tasks.delay import Delay
from tasks.faults import Fault
from tasks.job import Job
from tasks.outcome import Accepted, CredentialsRefused, Duplicate, Outcome, Rejected
from tasks.providers.base import Provider, Reply, Request
from tasks.providers.reasons import quote


class ArrayAccount(BaseAccount):
    """A channel of a shop."""

    provider: Literal["acme_array"]
    base_url: str = Field(default="https://array.acme.example", repr=False)
    channel: str = Field(min_length=1)
    token: HeaderSecret


class AcmeArray(Provider[ArrayAccount]):
    """Schedules nothing."""

    account_model = ArrayAccount
    carries = frozenset({"order", "customer"})

    def faults(self, job: Job) -> list[Fault]:
        return [] if job.order else [Fault(field="order", problem="is required by Acme")]

    def schedules(self, delay: Delay) -> bool:
        return False

    def invitation(self, account: ArrayAccount, job: Job) -> Request:
        invite = {"channel": account.channel, "reference": job.order, "email": job.email, "name": job.customer.name}
        return Request("POST", "/v2/invites", json=[invite])

    def authorise(self, account: ArrayAccount, request: Request, token: str | None) -> Request:
        bearer = {"Authorization": f"Bearer {account.token.get_secret_value()}"}
        return replace(request, headers={**request.headers, **bearer})

    def read(self, account: ArrayAccount, job: Job, reply: Reply) -> Outcome | None:
        if reply.status == HTTPStatus.UNAUTHORIZED:
            return CredentialsRefused("Acme does not know this token: make a new one")
        match reply.array:
            case [{"status": "created"}] if reply.status == HTTPStatus.OK:
                return Accepted()
            case [{"status": "exists"}]:
                return Duplicate("Acme knows this order already")
            case [{"status": "invalid", "message": message}]:
                return Rejected(f"Acme said: {quote(message, job, account)}")
        return None
