"""What the demo runs on: a folder, free ports, accounts at the simulator, the settings of all processes."""

import json
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.accounts import Account
from config.outside import read_account
from ops.simulator import account_key

LOOPBACK = "127.0.0.1"
FLOWER_PORT = 5555
RETRIEVE_SECONDS = 4
CONCURRENCY = 10
CODE, TOKEN, CLIENT, SECRET = "demo-code", "demo-token", "demo-client", "demo-secret"
AT_SIMULATOR = {
    "shop_nl": account_key("webwinkelkeur", "1"),
    "portal": account_key("wemasy", TOKEN),
    "reviews": account_key("feedbackcompany", CLIENT, is_client_id=True),
}
"""The accounts, by the names under which the simulator counts their calls."""
LIMITS = {"shop_nl": "25/5s", "portal": "120/minute", "reviews": "25/5s"}
"""What their providers allow them. Wemasy counts by the minute, and says so in its headers."""


@dataclass(frozen=True, slots=True)
class Places:
    """A folder of its own, and ports of the loopback interface."""

    folder: Path
    redis_port: int
    simulator_port: int
    flower_port: int
    metrics_ports: tuple[int, int]

    @classmethod
    def in_folder(cls, folder: Path) -> "Places":
        """On ports that are free now, Flower on its usual one where it is; writes the accounts file."""
        redis, simulator, flower, *metrics = free_ports(5)
        places = cls(folder, redis, simulator, _usual_or(FLOWER_PORT, flower), (metrics[0], metrics[1]))
        places.accounts_file.write_text(_toml(places.tables()), "utf-8")
        places.accounts_file.chmod(0o600)
        return places

    @property
    def redis(self) -> str:
        return f"redis://{LOOPBACK}:{self.redis_port}/0"

    @property
    def simulator(self) -> str:
        return f"http://{LOOPBACK}:{self.simulator_port}"

    @property
    def flower(self) -> str:
        return f"http://{LOOPBACK}:{self.flower_port}"

    @property
    def metrics(self) -> list[str]:
        return [f"http://{LOOPBACK}:{port}/metrics" for port in self.metrics_ports]

    @property
    def accounts_file(self) -> Path:
        return self.folder / "accounts.toml"

    def variables(self) -> dict[str, str]:
        """The settings of every process."""
        return {
            "INVITATIONS_REDIS_URL": self.redis,
            "INVITATIONS_ACCOUNTS_FILE": str(self.accounts_file),
            "INVITATIONS_RETRIEVE_SECONDS": str(RETRIEVE_SECONDS),
            "INVITATIONS_CONCURRENCY": str(CONCURRENCY),
            "INVITATIONS_METRICS_PORT": "0",
        }

    def tables(self) -> dict[str, dict[str, Any]]:
        """The accounts file: two accounts know of no limit, and the third believes in one far too high."""
        return {
            "shop_nl": {"provider": "webwinkelkeur", "shop_id": 1, "code": CODE, "base_url": self.simulator},
            "portal": {"provider": "wemasy", "token": TOKEN, "base_url": self.simulator},
            "reviews": {
                "provider": "feedbackcompany",
                "client_id": CLIENT,
                "client_secret": SECRET,
                "base_url": self.simulator,
                "limit": "10/second",
            },
        }

    def accounts(self) -> list[Account]:
        """The accounts as every process reads them."""
        return [read_account({**table, "name": name}) for name, table in self.tables().items()]


def _toml(tables: dict[str, dict[str, Any]]) -> str:
    """Texts and whole numbers are written in TOML as in JSON."""
    sections = [
        "\n".join([f"[accounts.{name}]", *(f"{field} = {json.dumps(value)}" for field, value in table.items())])
        for name, table in tables.items()
    ]
    return "\n\n".join(sections) + "\n"


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on."""
    listeners = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    ports = [int(listener.getsockname()[1]) for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def _usual_or(usual: int, other: int) -> int:
    try:
        socket.create_server((LOOPBACK, usual)).close()
    except OSError:
        return other
    return usual
