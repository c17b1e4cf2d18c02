"""The recorded answers: one folder per provider, one file per case, as README.md beside them says."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from config.accounts import Account
from config.outside import read_account
from tasks import outcome as outcomes
from tasks.job import Job
from tasks.outcome import Limits
from tasks.providers.listing import Page, Row

FOLDER = Path(__file__).parent / "answers"
PROVIDERS = sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())


@dataclass(frozen=True)
class Case:
    """One recorded case. `calls` are the requests to expect and what they are answered with."""

    provider: str
    name: str
    raw: dict[str, Any]

    @property
    def action(self) -> str:
        return str(self.raw.get("action", "deliver"))

    @property
    def calls(self) -> list[dict[str, Any]]:
        return list(self.raw["calls"])

    @property
    def job(self) -> Job:
        return Job.read(_read(self.provider, "_job") | self.raw.get("job", {}))

    def account(self, base_url: str, **changes: Any) -> Account:
        fields = _read(self.provider, "_account") | self.raw.get("account", {}) | changes
        return read_account({**fields, "name": "shop", "base_url": base_url})

    @property
    def outcome(self) -> Any:
        """The outcome, page or None that the case expects."""
        expected = self.raw["outcome"]
        if expected is None:
            return None
        if "rows" in expected:
            return Page([_row(row) for row in expected["rows"]], expected["total"], expected["unreadable"])
        fields = {name: value for name, value in expected.items() if name != "type"}
        return getattr(outcomes, expected["type"])(**fields)

    @property
    def limits(self) -> Limits | None:
        return Limits(**self.raw["limits"]) if "limits" in self.raw else None


def case(provider: str, name: str) -> Case:
    return Case(provider, name, _read(provider, name))


def all_cases() -> list[Case]:
    return [
        case(provider, file.stem)
        for provider in PROVIDERS
        for file in sorted((FOLDER / provider).glob("*.json"))
        if not file.stem.startswith("_")
    ]


def private(account: Account, job: Job) -> list[str]:
    """Every text of `account` and `job` that may stand in nothing that a person or a log gets to see."""
    values = [getattr(account, name) for name in type(account).model_fields]
    secrets = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    customer = job.customer
    names = [customer.full_name, customer.first_name, customer.last_name, *customer.phone_numbers]
    return [*secrets, job.email, *(name for name in names if name), account.root, "127.0.0.1", "http"]


@cache
def _read(provider: str, name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((FOLDER / provider / f"{name}.json").read_text("utf-8"))
    return data


def _row(fields: dict[str, Any]) -> Row:
    times = {name: _time(fields[name]) for name in ("created", "scheduled", "sent")}
    values: dict[str, Any] = {**fields, **times}
    return Row(**values)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
