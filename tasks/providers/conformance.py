"""Whether a provider keeps to what the pipeline relies on: a check for the tests of who writes one. Nothing is called.

assert problems(Acme(), AcmeAccount(name="shop", provider="acme", token="made-up")) == []
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from json import dumps
from typing import Any, TypeVar, get_args

from pydantic import SecretStr

from config.accounts import BaseAccount
from config.outside import provider_names
from tasks.delay import Delay, Unit
from tasks.faults import Fault
from tasks.job import Job
from tasks.outcome import Accepted, Consented, Duplicate, Outcome, Rejected, Throttled
from tasks.providers.base import Provider, Reply, Request
from tasks.providers.listing import Page

AccountT = TypeVar("AccountT", bound=BaseAccount)

JOB: dict[str, Any] = {
    "account": "shop",
    "email": "canary.address@canary.example",
    "order": "1001",
    "customer": {"full_name": "Canaryfirst Canarylast", "phone_numbers": ["+31699887766"]},
    "delay": {"amount": 2, "unit": "days"},
}
PERSONAL = ("canary", "Canary", "31699887766")
NOW = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)
CODES = (200, 201, 202, 204, 302, 400, 401, 403, 404, 409, 422, 500, 502)
SAYING = ("message", "error", "errors", "error_description", "detail", "description", "reason", "title", "status")
HOLDING = ("data", "items", "invitations", "access_token", "expires_in", "id")
PATH = "its path is told in traces; expected /…, with nothing personal, no secret and no query in it"
TEXT = "canary.address@canary.example of Canaryfirst Canarylast, +31699887766"
OBJECTS: tuple[Any, ...] = (
    {},
    dict.fromkeys(SAYING, TEXT),
    {name: [TEXT] for name in SAYING},
    {name: {"email": [TEXT]} for name in SAYING},
    dict.fromkeys((*SAYING, *HOLDING), None),
    dict.fromkeys((*SAYING, *HOLDING), 10**400),
    {"status": "success", "data": [], "invitations": {}, "access_token": "\n", "expires_in": "soon"},
    [],
    [[]],
    [None, 5, {"email": 5}],
    [dict.fromkeys(SAYING, TEXT)],
)
BODIES = (b"", b"null", b"5", b'"text"', b"<html>gone</html>", b"\xff\xfe", b"[{")


def problems(provider: Provider[AccountT], account: AccountT, **fields: Any) -> list[str]:
    """What is wrong with a provider; empty where nothing is.

    `account`: one of its accounts, with every credential that it can have, made up. `fields`: of a job, where the
    provider needs others than those of the plainest one.
    """
    checks = (_model, _job, _delays, _request, _paths, _authorised, _answers, _tokens, _list)
    job = Job.read({**JOB, **fields})
    found: list[str] = []
    for check in checks:
        try:
            found += check(provider, account, job)
        except Exception as error:
            found.append(f"{check.__name__[1:]}: raises {type(error).__name__}")
    return list(dict.fromkeys(found))


def _model(provider: Provider[Any], account: BaseAccount, job: Job) -> Iterator[str]:
    model = provider.account_model
    if type(account) is not model:
        yield "account_model: is not the model of the account"
    if not all(isinstance(name, str) for name in provider_names(model)) or account.provider not in provider_names(
        model
    ):
        yield 'account_model: lacks provider: Literal["name"]'
    if model.lists != provider.lists:
        yield "lists: differs between the provider and its account_model"
    if _told(repr(account), secrets_of(account)):
        yield "account_model: its repr tells a secret; make it a Secret or a HeaderSecret"


def _job(provider: Provider[Any], account: BaseAccount, job: Job) -> Iterator[str]:
    unknown = provider.carries - set(Job.model_fields)
    if unknown:
        yield f"carries: no field of a job is named {', '.join(sorted(unknown))}"
    faults = provider.faults(job)
    if not all(isinstance(fault, Fault) for fault in faults):
        yield "faults: expected a list of tasks.faults.Fault"
    elif faults:
        yield f"faults: the job of this check is refused, give its fields to it: {'; '.join(map(str, faults))}"
    # The same job with every text too long and every choice a bad one.
    bad = job.model_copy(update={"language": "canary" * 300, "order": "canary" * 300, "filtercode": "canary" * 300})
    if _told(str(provider.faults(bad)), PERSONAL):
        yield "faults: repeat a value"


def _delays(provider: Provider[Any], account: BaseAccount, job: Job) -> Iterator[str]:
    for unit in get_args(Unit):
        two, three = (Delay(amount=amount, unit=unit) for amount in (2, 3))
        if not provider.schedules(two):
            continue
        calls = [_built(provider, account, job.model_copy(update={"delay": delay})) for delay in (two, three)]
        if calls[0] == calls[1]:
            yield f"schedules: says that it waits {unit} out, and the call does not tell it how many"


def _paths(provider: Provider[Any], account: BaseAccount, job: Job) -> Iterator[str]:
    token = provider.token_call(account)
    for name, request in (
        ("consent_request", provider.consent_request(account, job)),
        ("list_request", provider.list_request(account, 0, 100)),
        ("token_call", token and token.request),
    ):
        if request and not _may_be_told(request.path, account):
            yield f"{name}: {PATH}"


def _may_be_told(path: str, account: BaseAccount) -> bool:
    return path.startswith("/") and not _told(path, ("?", "#", *PERSONAL, *secrets_of(account)))


def _request(provider: Provider[Any], account: BaseAccount, job: Job) -> Iterator[str]:
    request = _built(provider, account, job)
    if request != _built(provider, account, job):
        yield "invitation: differs from call to call; a provider has no clock, and chance belongs to nobody"
    if not _may_be_told(request.path, account):
        yield f"invitation: {PATH}"
    if _told(_all_of(request), secrets_of(account)):
        yield "invitation: holds a secret; credentials belong to authorise"
    if request.form is not None and request.json is not None:
        yield "invitation: has a form and JSON; expected one of them"


def _authorised(provider: Provider[Any], account: BaseAccount, job: Job) -> Iterator[str]:
    request = _built(provider, account, job)
    token = None if provider.token_call(account) is None else "canary-token"
    sent = provider.authorise(account, request, token)
    if (sent.method, sent.path, sent.form, sent.json) != (request.method, request.path, request.form, request.json):
        yield "authorise: changes more than query and headers"
    if not _told(_all_of(sent), (token,) if token else secrets_of(account)):
        yield "authorise: adds no credential"


def _answers(provider: Provider[Any], account: BaseAccount, job: Job) -> Iterator[str]:
    for reply in _replies():
        yield from _read("read", lambda one: provider.read(account, job, one), reply, Outcome, account)
        yield from _read(
            "read_consent", lambda one: provider.read_consent(account, one), reply, Outcome | Consented, account
        )


def _tokens(provider: Provider[Any], account: BaseAccount, job: Job) -> Iterator[str]:
    call = provider.token_call(account)
    if call and _told(call.client, secrets_of(account)):
        yield "token_call: its client is told in names of keys; expected no secret in it"
    for reply in _replies():
        with suppress(TypeError):
            found = provider.read_token(reply, NOW)
            if found is None or (isinstance(found[0], str) and isinstance(found[1], int)):
                continue
        yield "read_token: expected a token and its milliseconds, or None"


def _list(provider: Provider[Any], account: BaseAccount, job: Job) -> Iterator[str]:
    if provider.lists != (provider.list_request(account, 0, 100) is not None):
        yield "list_request: expected a call if, and only if, `lists` is true"
    for reply in _replies():
        yield from _read("read_list", lambda one: provider.read_list(account, one), reply, Outcome | Page, account)


def _read(name: str, read: Callable[[Reply], Any], reply: Reply, expected: Any, account: BaseAccount) -> Iterator[str]:
    """What is wrong with what one answer is taken for."""
    try:
        found = read(reply)
    except Exception as error:
        yield f"{name}: raises {type(error).__name__} at an answer that it does not know; expected None"
        return
    if found is not None and not isinstance(found, get_args(expected)):
        yield f"{name}: expected an outcome of tasks.outcome, or what else its signature says, or None"
    if isinstance(found, Throttled):
        yield f"{name}: 429 and Retry-After are the pipeline's"
    no_json = reply.body and reply.data is None and reply.array is None
    if no_json and isinstance(found, Accepted | Duplicate | Rejected):
        yield f"{name}: takes {reply.status} with a body that it cannot know for {type(found).__name__}; expected None"
    if _told(repr(found), (*PERSONAL, *secrets_of(account))):
        yield f"{name}: its reason repeats what is personal or secret; quote with tasks.providers.reasons.quote"


def _replies() -> Iterator[Reply]:
    for status in CODES:
        for body in BODIES:
            yield Reply(status, {}, body, None)
        for value in OBJECTS:
            is_object = isinstance(value, dict)
            body = dumps(value, default=str).encode()
            yield Reply(status, {}, body, value if is_object else None, None if is_object else value)


def _built(provider: Provider[Any], account: BaseAccount, job: Job) -> Request:
    return provider.dated(account, job, provider.invitation(account, job), NOW.astimezone(account.zone))


def _all_of(request: Request) -> str:
    return str((request.path, request.query, request.headers, request.form, request.json))


def _told(text: str, private: tuple[str, ...]) -> bool:
    return any(value in text for value in private)


def secrets_of(account: BaseAccount) -> tuple[str, ...]:
    """Every secret of an account."""
    values = [getattr(account, name) for name in type(account).model_fields]
    return tuple(value.get_secret_value() for value in values if isinstance(value, SecretStr))
