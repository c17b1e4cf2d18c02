"""Wemasy: wemasy-invite.txt, with Laravel's words where the page gives none.

A token that begins with "wrong-permissions" is known but may not invite (403); any other that begins with
"wrong" is not known (401).
"""

from collections.abc import Mapping
from itertools import count
from typing import ClassVar

from ops.simulator.checks import is_email
from ops.simulator.options import SimulatorOptions
from ops.simulator.provider import WRONG, Call, Provider, Verdict
from ops.simulator.state import Outcome, account_key, invitation_ref
from ops.simulator.wire import Headers, Kind, Reply, Request, json_reply

INVITE = "/services/webshop/v1/customers/invite"

SENT = "Invitation email sent."
UNAUTHENTICATED = "Unauthenticated."
FORBIDDEN = "You do not have permission to access this resource."

_WITHOUT_PERMISSION = f"{WRONG}-permissions"
_MAX_TEXT = 191
_FIRST_CUSTOMER = 42


class Wemasy(Provider):
    """The E-commerce API; the credential is a bearer token, and a customer is known by address alone."""

    routes: ClassVar[Mapping[str, Mapping[str, Kind]]] = {INVITE: {"POST": "create"}}

    def __init__(self, options: SimulatorOptions) -> None:
        super().__init__(options)
        self._customers = count(_FIRST_CUSTOMER)

    def caller(self, request: Request) -> str:
        return account_key("wemasy", request.bearer)

    def fields(self, request: Request) -> dict[str, object]:
        return request.json_object()

    def reference(self, fields: dict[str, object]) -> str:
        email = fields.get("email")
        return invitation_ref(email) if isinstance(email, str) and email else ""

    def process(self, call: Call) -> Verdict:
        token = call.request.bearer
        if token.startswith(_WITHOUT_PERMISSION):
            return Verdict(Outcome.REFUSED, self.error(403, FORBIDDEN))
        if not token or token.startswith(WRONG):
            return Verdict(Outcome.REFUSED, self.refused())
        faults = _faults(call.fields)
        if faults:
            return Verdict(Outcome.REJECTED, _unprocessable(faults))
        if not call.account.remember(self.reference(call.fields)):
            registered = {"email": [self.options.wemasy_registered]}
            return Verdict(Outcome.DUPLICATE, _unprocessable(registered))
        return Verdict(Outcome.ACCEPTED, self._created(call.fields))

    def error(self, status: int, message: str) -> Reply:
        return json_reply(status, {"error": True, "message": message})

    def refused(self) -> Reply:
        return self.error(401, UNAUTHENTICATED)

    def limit_headers(self, limit: int, remaining: int) -> Headers:
        return ("X-RateLimit-Limit", str(limit)), ("X-RateLimit-Remaining", str(remaining))

    def _created(self, fields: dict[str, object]) -> Reply:
        customer = {
            "id": next(self._customers),
            "email": fields["email"],
            "firstname": fields.get("firstname"),
            "lastname": fields.get("lastname"),
        }
        if self.options.wemasy_shape == "table":
            return json_reply(201, {"error": False, "message": SENT, "data": {"customer": customer}})
        return json_reply(201, {"customer": customer, "message": SENT})


def _faults(fields: dict[str, object]) -> dict[str, list[str]]:
    """Field to messages, as Laravel's validator puts it."""
    faults: dict[str, list[str]] = {}
    if fields.get("email") in (None, ""):
        faults["email"] = ["The email field is required."]
    elif not is_email(fields["email"], _MAX_TEXT):
        faults["email"] = [f"The email must be a valid email address of at most {_MAX_TEXT} characters."]
    for name in ("firstname", "lastname"):
        value = fields.get(name)
        if value is not None and not (isinstance(value, str) and len(value) <= _MAX_TEXT):
            faults[name] = [f"The {name} must be a string of at most {_MAX_TEXT} characters."]
    return faults


def _unprocessable(errors: dict[str, list[str]]) -> Reply:
    message = next(iter(errors.values()))[0]
    return json_reply(422, {"error": True, "message": message, "errors": errors})
