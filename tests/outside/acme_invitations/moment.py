"""A provider that asks for the moment at which to send, and for OAuth2 client credentials at a host of their own, as
that of Trustpilot does.

A call that stayed unanswered: it is made again, and a 409 means that the first one had arrived.
"""

import re
from base64 import b64encode
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Literal

from pydantic import Field

from config.accounts import Address, BaseAccount, Secret
from tasks.delay import Delay, moment
from tasks.job import Job
from tasks.outcome import Accepted, CredentialsRefused, Duplicate, Outcome
from tasks.providers.base import Provider, Reply, Request, TokenCall

TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")


class MomentAccount(BaseAccount):
    """A business unit. Its tokens come from `token_url`, which is another host."""

    provider: Literal["acme_moment"]
    base_url: str = Field(default="https://invitations.acme.example", repr=False)
    token_url: Address = Field(default="https://login.acme.example", repr=False)
    unit: str = Field(pattern=r"^[0-9a-f]{4,64}$")
    key: str = Field(min_length=1)
    secret: Secret


class AcmeMoment(Provider[MomentAccount]):
    """Schedules every delay itself, as a moment."""

    account_model = MomentAccount
    carries = frozenset({"order"})

    def schedules(self, delay: Delay) -> bool:
        return True

    def invitation(self, account: MomentAccount, job: Job) -> Request:
        return Request("POST", f"/v1/units/{account.unit}/invitations", json={"email": job.email, "number": job.order})

    def dated(self, account: MomentAccount, job: Job, request: Request, now: datetime) -> Request:
        if job.delay is None:
            return request
        at = moment(job.delay, now)
        return replace(request, json={**request.json, "preferredSendTime": f"{at:%Y-%m-%dT%H:%M:%SZ}"})

    def token_call(self, account: MomentAccount) -> TokenCall:
        secret = account.secret.get_secret_value()
        basic = b64encode(f"{account.key}:{secret}".encode()).decode()
        return TokenCall(
            Request(
                "POST",
                "/v1/oauth/token",
                root=account.token_url,
                headers={"Authorization": f"Basic {basic}"},
                form={"grant_type": "client_credentials"},
            ),
            client=f"acme_moment:{account.key}",
            secret=secret,
        )

    def read_token(self, reply: Reply, now: datetime) -> tuple[str, int] | None:
        match reply.data:
            case {"access_token": str(token), "expires_in": int(seconds)} if TOKEN.fullmatch(token) and seconds > 0:
                return token, seconds * 1000
        return None

    def authorise(self, account: MomentAccount, request: Request, token: str | None) -> Request:
        credentials = {"Authorization": f"Bearer {token}", "X-Business-Unit": account.unit}
        return replace(request, headers={**request.headers, **credentials})

    def read(self, account: MomentAccount, job: Job, reply: Reply) -> Outcome | None:
        match reply.status:
            case HTTPStatus.ACCEPTED if reply.data is not None:
                return Accepted()
            case HTTPStatus.CONFLICT if reply.data is not None:
                return Duplicate("Acme knows this order already")
            case HTTPStatus.UNAUTHORIZED:
                return CredentialsRefused("Acme refused the token: check key and secret")
        return None
