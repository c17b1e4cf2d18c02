"""What a check looks at, and what it says."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Literal

from redis import Redis

from config.accounts_file import Accounts
from config.settings import Settings

Level = Literal["ok", "unknown", "warning", "problem"]
PROBLEM: Level = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `advice` is empty where there is nothing to do."""

    level: Level
    check: str
    found: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the checks look at."""

    redis: Redis = field(repr=False)
    settings: Settings
    accounts: Accounts


Check = Callable[[Deployment], Iterator[Finding]]
