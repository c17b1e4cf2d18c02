"""Reads the accounts: the file, overlaid by secrets, `.env` and the environment, in rising precedence."""

from collections.abc import Iterator
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.accounts import Account, BaseAccount
from config.accounts_sources import VARIABLE, Sources
from config.errors import ConfigurationError, in_words
from config.near import did_you_mean
from config.outside import models
from config.settings import PREFIX, Settings, settings

__all__ = ["VARIABLE", "Accounts", "accounts", "load_accounts"]

SHARED_IN_GROUP = ("limit", "burst", "concurrency")

Accounts = dict[str, Account]


def load_accounts(settings: Settings) -> Accounts:
    """All configured accounts by name.

    Raises:
        ConfigurationError: naming every fault of every account by file, line and field, or by variable.
    """
    return accounts_of(Sources.of(settings), settings)


def accounts_of(sources: Sources, settings: Settings) -> Accounts:
    """The accounts that these sources give, by name. Raises ConfigurationError, as `load_accounts` does."""
    raw = sources.fields()
    # Where the file is not there, secrets alone make no account.
    lacks_file = not sources.file.path.exists() and any("provider" not in fields for fields in raw.values())
    if lacks_file or (not raw and not sources.file.faults):
        raise ConfigurationError([_without_accounts(settings.accounts_file)])
    accounts, faults = {}, list(sources.file.faults)
    for name, fields in raw.items():
        if sources.file.faults and name not in sources.file.tables:
            # Most likely its table is what cannot be read.
            continue
        found = _account(name, fields)
        if isinstance(found, BaseAccount):
            accounts[name] = found
        else:
            faults += [sources.fault(name, field, message) for field, message in found]
    first_of = {account.gate: account for account in sorted(accounts.values(), key=attrgetter("name"), reverse=True)}
    for account in accounts.values():
        conflicts = _conflicts(account, first_of[account.gate], settings)
        faults += [sources.fault(account.name, field, message) for field, message in conflicts]
    if faults:
        raise ConfigurationError(faults)
    return accounts


def _without_accounts(path: Path) -> str:
    what = f"{path}: no account is configured" if path.exists() else f"{path.absolute()}: does not exist"
    return f"{what}; run `invitations accounts add`, copy config/accounts.example.toml, or set {PREFIX}ACCOUNTS_FILE"


def _account(name: str, fields: dict[str, Any]) -> Account | list[tuple[str, str]]:
    """The account, or its faults by field, none of which repeats a value."""
    provider = fields.get("provider")
    if provider is None:
        return [("provider", 'expected a provider, such as provider = "webwinkelkeur"')]
    model = models().get(provider) if isinstance(provider, str) else None
    if model is None:
        known = sorted(models())
        meant = did_you_mean(str(provider), known)
        return [("provider", f"expected the name of a provider: {', '.join(known)}{meant}")]
    return validated(model, {**fields, "name": name})


def validated(model: type[BaseAccount], fields: dict[str, Any]) -> Account | list[tuple[str, str]]:
    """The account with these fields, or its faults by field (dotted, '' for all of it), none of which repeats a
    value."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        return [(".".join(map(str, fault["loc"])), _problem(fault, model)) for fault in faults]


def _problem(fault: ErrorDetails, model: type[BaseAccount]) -> str:
    known = set(model.model_fields) - {"name"}
    return in_words(fault) + (did_you_mean(str(fault["loc"][-1]), known) if fault["type"] == "extra_forbidden" else "")


def _conflicts(account: BaseAccount, first: BaseAccount, settings: Settings) -> Iterator[tuple[str, str]]:
    """What cannot be. `first`: by name, of those that share its gate."""
    if account.timeout >= settings.lease_seconds:
        yield "timeout", f"expected less than {PREFIX}LEASE_SECONDS ({settings.lease_seconds})"
    for field in SHARED_IN_GROUP:
        if getattr(first, field) != getattr(account, field):
            yield field, f"expected the same as accounts.{first.name}.{field}: they share limit_group"


@cache
def accounts() -> Accounts:
    """The accounts of this process, read at first use. Raises ConfigurationError."""
    return load_accounts(settings())
