"""What a peer of the benchmark can do. One module in ops.bench.peers for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Load:
    """Where a peer works: `url` of the provider's invite call, `token` of its account, and how many a period allows
    (None: no limit). Times in seconds."""

    redis_url: str
    url: str
    token: str
    processes: int
    concurrency: int
    count: int | None = None
    period: float | None = None


class Peer(Protocol):
    """A job system over Redis, used as its documentation tells."""

    name: str
    packages: Sequence[str]

    def is_installed(self) -> bool:
        """Whether what it needs is here: a peer that is not installed is left out, and the table says so."""
        ...

    def worker_commands(self, load: Load) -> list[list[str]]:
        """One command for each worker process (or one that forks them all), started with `environment`."""
        ...

    def environment(self, load: Load) -> dict[str, str]:
        """What its workers and its enqueuing read."""
        ...

    def enqueue(self, load: Load, jobs: Sequence[dict[str, object]]) -> float:
        """Enqueues one job for each payload, as fast as it can in bulk. Returns seconds."""
        ...
