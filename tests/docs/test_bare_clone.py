"""The tutorial from a bare clone: the packages come from the registry, the programs from what was installed."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.book import DOCS
from tests.docs.reader import Reader
from tests.integration.processes import ROOT

OURS = ("PYTHONPATH", "VIRTUAL_ENV")


@pytest.fixture
def newcomer(tmp_path: Path, ports: dict[str, int], surroundings: dict[str, str]) -> Iterator[Reader]:
    """Who has a copy of what is committed, and a Python."""
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, files.split("\0")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    reader = Reader(tmp_path, {name: value for name, value in surroundings.items() if name not in OURS}, ports)
    yield reader
    reader.end()


@pytest.mark.timeout(600)
def test_the_tutorial_leads_where_it_says(newcomer: Reader) -> None:
    newcomer.follow(DOCS / "tutorial.md")
