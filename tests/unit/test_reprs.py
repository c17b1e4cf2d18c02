"""Whatever may hold a secret or something personal shows none of it in its repr, which logs and tracebacks print."""

import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import BaseModel, SecretStr

import config
import ops
import tasks
import worker
from config.accounts import Account
from config.outside import read_account
from config.redis_url import SentinelUrl
from config.settings import load_settings
from tasks.faults import Fault, JobError
from tasks.job import Job
from tasks.providers import PROVIDERS
from tests.resilience.canaries import (
    ADDRESS,
    CODE,
    FETCHED,
    KEY,
    NEWEST_KEY,
    REDIS_PASSWORD,
    SECRET,
    TOKEN,
    found_in,
    job,
)
from worker.app import create_app
from worker.connection import connect
from worker.ledger import Ledger
from worker.tokens import SharedTokens
from worker.vault import Identity, Vault

# What is called so, wherever it is a field, is a secret, personal, or holds something that is.
PRIVATE = re.compile(
    "email|customer|full_name|first_name|last_name|phone_numbers|order_total|products|sku|gtin|image_url|filtercode|job"
    "|idempotency_key|body|data|form|headers|json|query|text|code|token|access_token|client_secret|secret|password"
    "|encryption_keys|username|redis|redis_url|url|base_url|hosts"
)
# The number of a lease, in a kind of its own.
LEASE = ("Claim", "token")
# They know no customers; and what a peer needs is not installed.
LEFT_OUT = ("ops.simulator", "ops.bench")


def kinds() -> Iterator[type]:
    """Every dataclass and every model of the project, but those of the simulator and the benchmark."""
    for package in (config, worker, tasks, ops):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.startswith(LEFT_OUT) or module.name.endswith("__main__"):
                continue
            for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
                if kind.__module__ == module.name and (dataclasses.is_dataclass(kind) or issubclass(kind, BaseModel)):
                    yield kind


def mark(name: str) -> str:
    return f"<{name}>"


def filled(kind: Any) -> tuple[Any, list[str]]:
    """One of this kind that holds a mark in each of its fields, and their names."""
    if issubclass(kind, BaseModel):
        secret = [name for name, field in kind.model_fields.items() if "SecretStr" in str(field.annotation)]
        values = {name: SecretStr(mark(name)) if name in secret else mark(name) for name in kind.model_fields}
        return kind.model_construct(**values), list(values)
    made, names = object.__new__(kind), [field.name for field in dataclasses.fields(kind)]
    for name in names:
        object.__setattr__(made, name, datetime(2026, 1, 1, tzinfo=UTC) if name == "created" else mark(name))
    return made, names


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_no_private_field_is_in_a_repr(kind: type) -> None:
    made, names = filled(kind)

    shown = [name for name in names if any(mark(name) in text for text in (repr(made), str(made), f"{made}"))]

    assert [name for name in shown if PRIVATE.fullmatch(name) and (kind.__name__, name) != LEASE] == []


def test_the_walk_comes_to_what_holds_secrets_and_jobs() -> None:
    seen = {kind.__name__ for kind in kinds()}

    assert seen >= {
        "Job",
        "Customer",
        "Product",
        "Settings",
        "WemasyAccount",
        "SentinelUrl",
        "Record",
        "Entry",
        "Claim",
    }
    assert seen >= {"RefusedEntry", "Request", "Reply", "TokenCall", "Row", "Unreadable", "Step", "Answer"}


def accounts() -> list[Account]:
    whole: tuple[dict[str, Any], ...] = (
        {"provider": "webwinkelkeur", "shop_id": 1, "code": CODE},
        {"provider": "wemasy", "token": TOKEN},
        {"provider": "feedbackcompany", "client_id": "client", "client_secret": SECRET},
        {"provider": "feedbackcompany", "access_token": SECRET},
    )
    return [read_account({"name": "a", "base_url": "https://api.example", **fields}) for fields in whole]


def test_nothing_of_a_call_is_in_the_reprs_along_its_way() -> None:
    one = Job.read(job("a", "1", idempotency_key=KEY))
    seen: list[Any] = [one, one.customer, one.products, JobError([Fault(field="email", problem="is required")])]

    for account in accounts():
        provider = PROVIDERS[account.provider]
        request = provider.authorise(account, provider.invitation(account, one), FETCHED)
        seen += [account, [account], request, provider, provider.token_call(account)]

    assert found_in(f"{seen} {[str(thing) for thing in seen]}") == []


def test_settings_vaults_and_connections_show_no_secret() -> None:
    address = f"redis://worker:{quote(REDIS_PASSWORD, safe='')}@127.0.0.1:1/0"
    settings = load_settings(redis_url=address, encryption_keys=NEWEST_KEY)
    vault = Vault.of(settings)
    client = connect(settings)
    sentinel = SentinelUrl.parse(address.replace("redis://", "sentinel://") + "?master=m")
    app = create_app(settings)
    identity = Identity(NEWEST_KEY.encode())
    seen = [settings, vault, identity, client, Ledger(client), SharedTokens(client), sentinel, app, app.conf.broker_url]

    assert found_in(f"{seen[:-1]} {[str(thing) for thing in seen[:-1]]} {app.bugreport()}") == []
    assert found_in(str(seen[-1])) == ["Redis password"]


def test_the_text_of_a_job_is_in_no_error_of_reading_it() -> None:
    with pytest.raises(JobError) as error:
        Job.read({**job("a", "1"), "email": f"no address {ADDRESS}", "delay": ADDRESS, ADDRESS: 1})

    assert found_in(f"{error.value!r} {error.value} {error.getrepr(showlocals=False)}") == []
    assert len(error.value.faults) == 3
