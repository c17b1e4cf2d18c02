"""Where the fields of accounts come from: the file, overlaid by secrets, `.env` and the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from dotenv import dotenv_values

from config.accounts_text import AccountsText
from config.errors import REQUIRED, ConfigurationError
from config.near import did_you_mean
from config.settings import PREFIX, Settings
from config.texts import escaped

VARIABLE = f"{PREFIX}ACCOUNTS__"


def variable_of(account: str, name: str) -> str:
    """The variable, or the file of the secrets folder, that gives a field of an account."""
    return f"{VARIABLE}{account.upper()}__{name.upper()}"


@dataclass(frozen=True)
class Variable:
    """A variable that gives a field of an account. `source`: where it is set; `over`: where it is set in vain."""

    name: str
    source: str
    value: str = field(repr=False)
    over: tuple[str, ...] = ()

    def __str__(self) -> str:
        over = f", which goes before {' and '.join(self.over)}" if self.over else ""
        return f"{self.name} ({self.source}{over})"


Variables = Mapping[tuple[str, str], Variable]


def read_variables(settings: Settings) -> Variables:
    """By account and field; of several that give one field the last of secrets, `.env` and environment counts.

    Raises:
        ConfigurationError: a secret cannot be read.
    """
    folder = settings.secrets_dir
    files = [file for file in folder.iterdir() if file.is_file()] if folder and folder.is_dir() else []
    secrets = {file.name: _secret(file) for file in files if _is_ours(file.name)}
    layers: tuple[tuple[str, Mapping[str, str | None]], ...] = (
        ("secrets folder", secrets),
        (".env", dotenv_values(".env")),
        ("environment", os.environ),
    )
    found: dict[tuple[str, str], Variable] = {}
    for source, values in layers:
        for name, value in values.items():
            account, _, of = name[len(VARIABLE) :].lower().rpartition("__")
            if value is not None and _is_ours(name) and account:
                before = found.get((account, of))
                over = (*before.over, before.source) if before else ()
                found[account, of] = Variable(name.upper(), source, value, over)
    return found


def _secret(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip()
    except OSError as error:
        raise ConfigurationError([f"{file.name} (secrets folder): cannot be read ({error.strerror})"]) from None
    except UnicodeDecodeError:
        raise ConfigurationError([f"{file.name} (secrets folder): expected a text in UTF-8"]) from None


def _is_ours(variable: str) -> bool:
    return variable.upper().startswith(VARIABLE)


@dataclass(frozen=True)
class Sources:
    """All that is given of all accounts, and where."""

    file: AccountsText
    variables: Variables

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As they stand now."""
        return cls(AccountsText.read(settings.accounts_file), read_variables(settings))

    def fields(self) -> dict[str, dict[str, Any]]:
        """The fields of each account, as they are given."""
        raw = {name: dict(table) for name, table in self.file.tables.items()}
        for (account, name), variable in self.variables.items():
            raw.setdefault(account, {})[name] = variable.value
        return raw

    def place(self, account: str, name: str) -> str:
        """Where a field of an account is given."""
        variable = self.variables.get((account, name))
        return str(variable) if variable else self.file.place(account, name)

    def fault(self, account: str, where: str, message: str) -> str:
        """Where a field of an account (dotted, or '' for all of it) is given, and what was expected there."""
        first = where.partition(".")[0]
        variable = self.variables.get((account, first))
        if variable:
            return f"{variable}: {message}"
        shown = escaped(f"accounts.{account}{'.' if where else ''}{where}")
        if account not in self.file.tables:
            hint = f" ({variable_of(account, first)})" if first not in ("", "name") else ""
            return self._of_variables_alone(account, shown + hint, message)
        hint = f" (or {variable_of(account, first)})" if message == REQUIRED else ""
        return f"{self.file.place(account, *where.split('.'))}: {shown}{hint}: {message}"

    def _of_variables_alone(self, account: str, shown: str, message: str) -> str:
        """A name that is misspelt in a variable makes an account that nobody meant."""
        variable = next(one for (name, _), one in self.variables.items() if name == account)
        meant = did_you_mean(account, self.file.tables)
        return f"{variable}: {shown}: {message}; the accounts file has no accounts.{account}{meant}"
