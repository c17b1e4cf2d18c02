"""The check that a provider from outside is held against: ours and Acme's pass, and each fault of one is told."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from config.accounts import BaseAccount
from config.outside import read_account
from tasks.faults import Fault
from tasks.outcome import Accepted, Rejected, Throttled
from tasks.providers import BUILT_IN
from tasks.providers.base import Provider, Request
from tasks.providers.conformance import problems
from tests.outside.acme_invitations.array import AcmeArray, ArrayAccount
from tests.outside.acme_invitations.header import AcmeHeader, HeaderAccount
from tests.outside.acme_invitations.moment import AcmeMoment, MomentAccount

CREDENTIALS: dict[str, dict[str, Any]] = {
    "webwinkelkeur": {"shop_id": 1, "code": "s3cret-code"},
    "trustprofile": {"shop_id": 1, "code": "s3cret-code", "consent": "required"},
    "wemasy": {"token": "s3cret-token"},
    "feedbackcompany": {"client_id": "client", "client_secret": "s3cret"},
}
ARRAY = ArrayAccount(name="a", provider="acme_array", channel="c", token="s3cret-token")  # type: ignore[arg-type]
OUTSIDE: list[tuple[Provider[Any], BaseAccount]] = [
    (AcmeArray(), ARRAY),
    (AcmeMoment(), MomentAccount(name="m", provider="acme_moment", unit="abcd", key="k", secret="s3cret")),  # type: ignore[arg-type]
    (AcmeHeader(), HeaderAccount(name="h", provider="acme_header", location=5, token="s3cret-token")),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_provider_of_this_project_passes(name: str) -> None:
    account = read_account({"name": "shop", "provider": name, **CREDENTIALS[name]})

    assert problems(BUILT_IN[name], account) == []


@pytest.mark.parametrize(("provider", "account"), OUTSIDE, ids=lambda one: type(one).__name__)
def test_the_providers_from_outside_pass(provider: Provider[Any], account: BaseAccount) -> None:
    assert problems(provider, account) == []


def answering(outcome: Any) -> Callable[..., Any]:
    return lambda *_: outcome


def raises(*_: Any) -> None:
    raise KeyError


def with_secret(provider: AcmeArray, account: ArrayAccount, job: Any) -> Request:
    return Request("POST", "/v2/invites", headers={"Authorization": account.token.get_secret_value()}, json=[])


def in_the_path(provider: AcmeArray, account: ArrayAccount, job: Any) -> Request:
    return Request("POST", f"/v2/invites/{job.email}", json=[])


def with_another_body(provider: AcmeArray, account: ArrayAccount, request: Request, token: str | None) -> Request:
    return replace(request, json=[account.token.get_secret_value()])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"account_model": HeaderAccount}, "account_model: is not the model of the account"),
        ({"lists": True}, "lists: differs between the provider and its account_model"),
        ({"lists": True}, "list_request: expected a call if, and only if, `lists` is true"),
        ({"carries": frozenset({"colour"})}, "carries: no field of a job is named colour"),
        ({"schedules": answering(True)}, "schedules: says that it waits weekdays out"),
        ({"schedules": raises}, "delays: raises KeyError"),
        ({"consent_request": in_the_path}, "consent_request: its path is told in traces"),
        ({"faults": answering(["order"])}, "faults: expected a list of tasks.faults.Fault"),
        ({"faults": answering([Fault(field="order", problem="is odd")])}, "faults: the job of this check is refused"),
        ({"faults": lambda _, job: [Fault(field="order", problem=job.order)]}, "faults: repeat a value"),
        ({"faults": raises}, "job: raises KeyError"),
        ({"invitation": lambda self, *_: Request("POST", "/", json=object())}, "invitation: differs from call to call"),
        ({"invitation": in_the_path}, "invitation: its path is told in traces"),
        ({"invitation": with_secret}, "invitation: holds a secret"),
        ({"invitation": answering(Request("POST", "/", form={}, json={}))}, "invitation: has a form and JSON"),
        ({"authorise": with_another_body}, "authorise: changes more than query and headers"),
        ({"authorise": lambda _, account, request, token: request}, "authorise: adds no credential"),
        ({"read": raises}, "read: raises KeyError at an answer that it does not know; expected None"),
        ({"read": answering("fine")}, "read: expected an outcome"),
        ({"read": answering(Throttled("slow"))}, "read: 429 and Retry-After are the pipeline's"),
        (
            {"read": answering(Accepted())},
            "read: takes 200 with a body that it cannot know for Accepted; expected None",
        ),
        (
            {"read": lambda self, account, job, reply: Rejected(str((reply.data or {}).get("message")))},
            "read: its reason repeats what is personal or secret",
        ),
        ({"read_token": answering("token")}, "read_token: expected a token and its milliseconds, or None"),
        ({"read_list": raises}, "read_list: raises KeyError"),
    ],
)
def test_each_fault_of_a_provider_is_told(changes: dict[str, Any], expected: str) -> None:
    bad = type("Bad", (AcmeArray,), changes)()

    assert [problem for problem in problems(bad, ARRAY) if problem.startswith(expected)]


def test_the_example_of_the_guide_passes() -> None:
    made_up = {"name": "h", "provider": "acme_header", "location": 5, "token": "made-up"}
    assert problems(AcmeHeader(), HeaderAccount.model_validate(made_up)) == []
