"""What `make docs` built: every page, and nothing in it that is fetched from elsewhere."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ops.docs.generated import ROOT
from tests.docs.book import PAGES

BUILT = ROOT / "build" / "docs"
ELSEWHERE = re.compile(r"(https?:)?//", re.IGNORECASE)
# What a browser fetches by itself, by element and attribute; an <a> it does not.
FETCHED = {
    ("script", "src"),
    ("link", "href"),
    ("img", "src"),
    ("source", "src"),
    ("iframe", "src"),
    ("object", "data"),
}
IN_STYLES = re.compile(r"url\(\s*['\"]?([^)'\"]+)|@import\s+['\"]([^'\"]+)")


class Fetched(HTMLParser):
    """The addresses that a page has its reader's browser fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if value and (tag, name) in FETCHED]


def fetched(file: Path) -> Iterator[str]:
    text = file.read_text("utf-8")
    if file.suffix == ".html":
        parser = Fetched()
        parser.feed(text)
        yield from parser.found
    yield from ("".join(found) for found in IN_STYLES.findall(text))


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_there(name: str) -> None:
    assert (BUILT / "ops" / "docs" / name).with_suffix(".html").exists()


def test_nothing_is_fetched_from_elsewhere() -> None:
    files = [file for kind in ("*.html", "*.css") for file in BUILT.rglob(kind)]
    addresses = {address: file.name for file in files for address in fetched(file)}

    assert any(address.endswith(".css") or ".css?" in address for address in addresses)
    assert {address: page for address, page in addresses.items() if ELSEWHERE.match(address)} == {}


def test_the_first_page_leads_to_the_documentation() -> None:
    assert 'url=ops/docs/index.html"' in (BUILT / "index.html").read_text("utf-8")
