"""The tutorial, from its first line to its last, as a person would, with files and terminals of its own.

What only looks is looked at within this process; with programs of its own it is done by `make docs`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.book import DOCS
from tests.docs.reader import Reader, Shortcut


@pytest.fixture
def reader(
    tmp_path: Path, ports: dict[str, int], programs: str, surroundings: dict[str, str], shortcut: Shortcut
) -> Iterator[Reader]:
    reader = Reader(tmp_path, {**surroundings, "PATH": programs}, ports, shortcut)
    yield reader
    reader.end()


def test_the_tutorial_leads_where_it_says(reader: Reader) -> None:
    reader.follow(DOCS / "tutorial.md", without="pip install")
