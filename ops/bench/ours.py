"""This project as the benchmark runs it: its own worker command, its own `enqueue_many`, and nothing special."""

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ops
from config.accounts_file import accounts
from config.settings import settings
from ops.bench.peer import Load
from tasks.acceptance import acceptance
from tasks.enqueue import enqueue_many
from worker.connection import redis
from worker.ledger import ledger

ACCOUNT = "shop"
Job = dict[str, object]


@dataclass(slots=True)
class Ours:
    """The peer of the peers. `folder` takes the accounts file; what `Load` says of one account is written there."""

    folder: Path
    name: str = "this project"
    packages: Sequence[str] = ("celery", "redis")

    def is_installed(self) -> bool:
        return True

    def worker_commands(self, load: Load) -> list[list[str]]:
        names = [f"worker{number}@bench" for number in range(load.processes)]
        return [[sys.executable, "-m", "celery", "-A", "worker.app", "worker", "-n", name] for name in names]

    def environment(self, load: Load) -> dict[str, str]:
        return {
            "PYTHONPATH": str(Path(ops.__file__).parents[1]),
            "INVITATIONS_REDIS_URL": load.redis_url,
            "INVITATIONS_ACCOUNTS_FILE": str(self.accounts_file),
            "INVITATIONS_CONCURRENCY": str(load.concurrency),
            "INVITATIONS_METRICS_PORT": "0",
        }

    def enqueue(self, load: Load, jobs: Sequence[Job]) -> float:
        """Within this process, as `configure` made it ready."""
        began = time.perf_counter()
        summary = enqueue_many(jobs)
        seconds = time.perf_counter() - began
        assert summary.accepted == len(jobs), f"{summary.accepted} of {len(jobs)} jobs were accepted"
        return seconds

    def _prepare(self, load: Load) -> None:
        """This process becomes a producer of the deployment that `load` and the accounts file describe."""
        os.environ.update(self.environment(load))
        for cached in (settings, accounts, redis, ledger, acceptance):
            cached.cache_clear()
        acceptance()

    @property
    def accounts_file(self) -> Path:
        return self.folder / "accounts.toml"

    def configure(self, load: Load, **fields: Any) -> None:
        """One account, as `load` has it: its limit, and calls at once for all threads where there is none."""
        table: dict[str, Any] = {"token": load.token}
        if load.count is None:
            table["concurrency"] = load.processes * load.concurrency
        else:
            table["limit"] = f"{load.count}/{load.period:g}s"
        self.configure_all(load, {ACCOUNT: table | fields})

    def configure_all(self, load: Load, tables: Mapping[str, Mapping[str, Any]]) -> None:
        """Writes the accounts file: accounts at Wemasy, which `load.url` stands for. This process enqueues by it."""
        root = load.url.partition("/api/")[0]
        common = {"provider": "wemasy", "base_url": root}
        sections = [
            "\n".join(
                [
                    f"[accounts.{name}]",
                    *(f"{key} = {json.dumps(value)}" for key, value in (common | dict(table)).items()),
                ]
            )
            for name, table in tables.items()
        ]
        self.accounts_file.write_text("\n\n".join(sections) + "\n", "utf-8")
        self.accounts_file.chmod(0o600)
        self._prepare(load)


def sample_jobs(count: int, account: str = ACCOUNT, prefix: str = "customer") -> list[Job]:
    """The sample job, once for each customer: the least that every provider takes."""
    return [
        {"account": account, "email": f"{prefix}.{number}@example.com", "order": f"2026-{number}"}
        for number in range(count)
    ]
