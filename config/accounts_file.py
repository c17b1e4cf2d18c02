"""Reads the accounts: the file, overlaid by secrets, `.env` and the environment, in rising precedence."""

import os
import tomllib
from collections.abc import Mapping
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import TypeAdapter, ValidationError

from config.accounts import Account, BaseAccount
from config.errors import ConfigurationError, expected
from config.settings import PREFIX, Settings, settings

VARIABLE = f"{PREFIX}ACCOUNTS__"
SHARED_IN_GROUP = ("limit", "burst", "concurrency")
_ACCOUNT: TypeAdapter[Account] = TypeAdapter(Account)

Accounts = dict[str, Account]


def load_accounts(settings: Settings) -> Accounts:
    """All configured accounts by name.

    Raises:
        ConfigurationError: naming every fault of every account by file, account and field.
    """
    raw = _from_file(settings.accounts_file)
    for variable, value in _variables(settings).items():
        name, _, field = variable.removeprefix(VARIABLE).lower().rpartition("__")
        if name:
            raw.setdefault(name, {})[field] = value
    if not raw:
        raise ConfigurationError([_without_accounts(settings.accounts_file)])
    accounts, faults = _validate(raw, settings)
    if faults:
        raise ConfigurationError(faults)
    return accounts


def _without_accounts(path: Path) -> str:
    what = f"{path}: no account is configured" if path.exists() else f"{path.absolute()}: does not exist"
    return f"{what}; copy config/accounts.example.toml there or set {PREFIX}ACCOUNTS_FILE"


def _from_file(path: Path) -> dict[str, dict[str, Any]]:
    if not path.exists():
        return {}
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        where = str(error) if isinstance(error, tomllib.TOMLDecodeError) else type(error).__name__
        raise ConfigurationError([f"{path}: expected a readable TOML file ({where})"]) from None
    strange = sorted(set(tables) - {"accounts"})
    accounts = tables.get("accounts", {})
    if strange or not isinstance(accounts, dict) or not all(isinstance(table, dict) for table in accounts.values()):
        raise ConfigurationError([f"{path}: expected only tables named [accounts.NAME]"])
    return dict(accounts)


def _variables(settings: Settings) -> dict[str, str]:
    folder = settings.secrets_dir
    files = [file for file in folder.iterdir() if file.is_file()] if folder and folder.is_dir() else []
    secrets = {file.name: file.read_text("utf-8").strip() for file in files if _is_ours(file.name)}
    layers: tuple[Mapping[str, str | None], ...] = (secrets, dotenv_values(".env"), os.environ)
    return {
        name.upper(): value for layer in layers for name, value in layer.items() if value is not None and _is_ours(name)
    }


def _is_ours(variable: str) -> bool:
    return variable.upper().startswith(VARIABLE)


def _validate(raw: dict[str, dict[str, Any]], settings: Settings) -> tuple[Accounts, list[str]]:
    accounts: Accounts = {}
    faults: list[str] = []
    for name, fields in raw.items():
        try:
            accounts[name] = _ACCOUNT.validate_python({**fields, "name": name})
        except ValidationError as error:
            faults += [_fault(settings.accounts_file, name, *fault) for fault in expected(error)]
    first_of = {account.gate: account for account in sorted(accounts.values(), key=attrgetter("name"), reverse=True)}
    for account in accounts.values():
        faults += _conflicts(account, first_of[account.gate], settings)
    return accounts, faults


def _fault(path: Path, account: str, field: str, message: str) -> str:
    field = field.partition(".")[2]  # What comes first is the provider.
    variable = f" (or {VARIABLE}{account.upper()}__{field.upper()})" if field and field != "name" else ""
    return f"{path}: accounts.{account}{'.' + field if field else ''}{variable}: {message}"


def _conflicts(account: BaseAccount, first: BaseAccount, settings: Settings) -> list[str]:
    """What cannot be. `first`: by name, of those that share its gate."""
    where = f"{settings.accounts_file}: accounts.{account.name}"
    faults = []
    if account.timeout >= settings.lease_seconds:
        faults.append(f"{where}.timeout: expected less than {PREFIX}LEASE_SECONDS ({settings.lease_seconds})")
    faults += [
        f"{where}.{field}: expected the same as accounts.{first.name}.{field}: they share limit_group"
        for field in SHARED_IN_GROUP
        if getattr(first, field) != getattr(account, field)
    ]
    return faults


@cache
def accounts() -> Accounts:
    """The accounts of this process, read at first use. Raises ConfigurationError."""
    return load_accounts(settings())
