"""The tutorial, from its first line to its last, as a person would, with files and terminals of its own.

What only looks is looked at within this process; with programs of its own it is done by `make docs`.
"""

from tests.docs.book import DOCS
from tests.docs.reader import Reader


def test_the_tutorial_leads_where_it_says(reader: Reader) -> None:
    reader.follow(DOCS / "tutorial.md", without="pip install")
