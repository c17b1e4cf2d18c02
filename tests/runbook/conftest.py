"""A system of its own for each section."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.simulator import RunningSimulator, SimulatorOptions
from tests.integration.deployment import Deployment
from tests.runbook.scene import Scene, start_server

LEASE_SECONDS, TIMEOUT_SECONDS = 10, 8


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Some minutes of commands: `make runbook` alone runs them."""
    return True if collection_path.name == "test_runbook.py" and not config.getoption("--long") else None


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Nothing is started in it yet but the server and the simulator."""
    servers = [start_server(tmp_path / "server")]
    with RunningSimulator(SimulatorOptions(port=0, send_after=0)) as simulator:
        deployment = Deployment(f"{servers[0].connection_url}/0", simulator, tmp_path)
        deployment.variables["LEASE_SECONDS"] = str(LEASE_SECONDS)
        for name, fields in list(deployment.accounts.items()):
            deployment.add_account(name, **{**fields, "timeout": TIMEOUT_SECONDS})
        yield Scene(deployment, servers)
        deployment.close()
    for server in servers:
        server.stop()
