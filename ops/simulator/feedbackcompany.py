"""The Feedback Company: feedbackcompany-orders.txt; tokens as NOTES.md tells.

Not documented, and chosen here: an order that is not valid, or whose `external_id` is taken, answers 422 with
`{"success": false, "error": true, "message": …}`; fetching a token does not count towards the limit.
"""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar
from zoneinfo import ZoneInfo

from ops.simulator.feedbackcompany_order import order_faults
from ops.simulator.limits import NS_PER_SECOND
from ops.simulator.options import SimulatorOptions
from ops.simulator.provider import WRONG, Call, Provider, Verdict
from ops.simulator.state import Bounded, Outcome, account_key, invitation_ref
from ops.simulator.wire import Kind, Reply, Request, json_reply

ORDERS = "/v2/orders"
TOKEN = "/v2/oauth2/token"

EXISTS = "external_id already exists"
UNAUTHORIZED = "The access token is invalid."
BAD_TOKEN_REQUEST = "Expected client_id, client_secret and grant_type=authorization_code."

_ISSUED = "sim-oauth-"
_MAX_TOKENS = 20_000
_ZONE = ZoneInfo("Europe/Amsterdam")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


class FeedbackCompany(Provider):
    """Orders with a bearer token: a static one, or the latest that was issued to a client id."""

    routes: ClassVar[Mapping[str, Mapping[str, Kind]]] = {ORDERS: {"POST": "create"}, TOKEN: {"GET": "token"}}

    def __init__(self, options: SimulatorOptions) -> None:
        super().__init__(options)
        self._owners: Bounded[str, str] = Bounded(_MAX_TOKENS)
        self._valid: Bounded[str, tuple[str, int]] = Bounded(_MAX_TOKENS)

    def caller(self, request: Request) -> str:
        if request.path == TOKEN:
            return account_key("feedbackcompany", request.query.get("client_id", ""), is_client_id=True)
        client = self._owners.get(request.bearer)
        return account_key("feedbackcompany", client or request.bearer, is_client_id=client is not None)

    def fields(self, request: Request) -> dict[str, object]:
        return request.json_object()

    def reference(self, fields: dict[str, object]) -> str:
        customer, order = fields.get("customer"), fields.get("external_id")
        email = customer.get("email") if isinstance(customer, dict) else None
        return invitation_ref(email, order) if isinstance(email, str) and isinstance(order, str) else ""

    def process(self, call: Call) -> Verdict:
        if call.kind == "token":
            return self._token(call.request)
        if not self._accepts(call.request.bearer, call.request.at_ns):
            return Verdict(Outcome.REFUSED, self.refused())
        faults = order_faults(call.fields, call.request.at_ns)
        if faults:
            return Verdict(Outcome.REJECTED, self.error(422, f"Expected {'; '.join(faults)}"))
        if not call.account.remember(str(call.fields["external_id"])):
            return Verdict(Outcome.DUPLICATE, self.error(422, EXISTS))
        return Verdict(Outcome.ACCEPTED, json_reply(201, {"success": True}))

    def error(self, status: int, message: str) -> Reply:
        return json_reply(status, {"success": False, "error": True, "message": message})

    def refused(self) -> Reply:
        return json_reply(401, {"error": True, "message": UNAUTHORIZED})

    def _accepts(self, token: str, at_ns: int) -> bool:
        if not token.startswith(_ISSUED):
            return bool(token) and not token.startswith(WRONG)
        valid, expires_ns = self._valid.get(self._owners.get(token, ""), ("", 0))
        return token == valid and at_ns < expires_ns

    def _token(self, request: Request) -> Verdict:
        client, secret = request.query.get("client_id", ""), request.query.get("client_secret", "")
        if not client or not secret or request.query.get("grant_type") != "authorization_code":
            return Verdict(Outcome.REJECTED, self.error(400, BAD_TOKEN_REQUEST))
        if client.startswith(WRONG) or secret.startswith(WRONG):
            return Verdict(Outcome.REFUSED, self.refused())
        token = _ISSUED + secrets.token_hex(16)
        expires_ns = request.at_ns + round(self.options.token_seconds * NS_PER_SECOND)
        self._owners[token] = client
        self._valid[client] = (token, expires_ns)
        body = {"error": False, "access_token": token, "expires_on": expires_on(expires_ns)}
        return Verdict(Outcome.TOKEN, json_reply(200, body))


def expires_on(ns: int) -> str:
    """A time in the provider's own form, "April, 1 2018 00:00:00 +0100", in Dutch local time."""
    moment = datetime.fromtimestamp(ns // NS_PER_SECOND, UTC).astimezone(_ZONE)
    return f"{_MONTHS[moment.month - 1]}, {moment.day} {moment:%Y %H:%M:%S %z}"
