"""One Compose project of its own: its secrets, its ports, its containers. Any Compose will do, v2 or 1.29."""

import json
import os
import socket
import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

ROOT = Path(__file__).parents[2]
PROJECT = "invitations-proof"
SIMULATOR_PORT, FLOWER_PORT = "SIMULATOR_PORT", "FLOWER_PORT"


def run(*command: str, text: str | None = None, **variables: str) -> str:
    """What a command printed. Raises subprocess.CalledProcessError, with its errors in `stderr`."""
    done = subprocess.run(
        command, input=text, env=os.environ | variables, cwd=ROOT, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def code(*command: str) -> tuple[int, str]:
    """Exit code and output of a command that may fail."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.returncode, done.stdout.strip()


class Compose:
    """The project with profile demo, over secrets in `folder`. Its ports are free ones: nothing else is disturbed."""

    def __init__(self, folder: Path) -> None:
        self._variables = {
            "INVITATIONS_SECRETS": str(folder),
            "INVITATIONS_LEASE_SECONDS": "31",
            "INVITATIONS_RETRIEVE_SECONDS": "5",
            **{name: str(_free_port()) for name in (SIMULATOR_PORT, FLOWER_PORT)},
        }
        run("sh", "ops/docker/secrets.sh", "demo", **self._variables)
        self._compose = _compose()
        trusted = ssl.create_default_context(cafile=str(folder / "worker" / "simulator_ca.pem"))
        self._opener = build_opener(ProxyHandler({}), HTTPSHandler(context=trusted))

    def __call__(self, *arguments: str) -> str:
        command = (*self._compose, "--project-name", PROJECT, "--profile", "demo", *arguments)
        return run(*command, **self._variables)

    def ids(self, service: str, *more: str) -> list[str]:
        """The containers of a service that run; with "--all" those too that ended."""
        labels = (f"project={PROJECT}", f"service={service}")
        filters = [word for label in labels for word in ("--filter", f"label=com.docker.compose.{label}")]
        return run("docker", "ps", "--quiet", *filters, *more).split()

    def states(self) -> dict[str, int]:
        """How many invitations are in each state, over all accounts."""
        status = json.loads(run("docker", "exec", self.ids("beat")[0], "invitations", "status", "--json"))
        states: dict[str, int] = {}
        for account in status["accounts"].values():
            for state, count in account["states"].items():
                states[state] = states.get(state, 0) + count
        return {state: count for state, count in states.items() if count}

    def simulated(self) -> dict[str, int]:
        """What the simulator counted, over all accounts."""
        with self._opener.open(f"https://localhost:{self._variables[SIMULATOR_PORT]}/_stats", timeout=10) as answer:
            stats: Any = json.load(answer)
        return {name: count for name, count in stats["total"].items() if count}


def _compose() -> Sequence[str]:
    """Compose v2 where it is there, else docker-compose."""
    return ("docker", "compose") if code("docker", "compose", "version")[0] == 0 else ("docker-compose",)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
