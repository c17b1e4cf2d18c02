"""The pages as they are read: their blocks of code, in order."""

import re
from dataclasses import dataclass
from pathlib import Path

from ops.docs.generated import ROOT

DOCS = ROOT / "ops" / "docs"
PAGES = {str(page.relative_to(DOCS)): page for page in sorted(DOCS.rglob("*.md"))}
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([\w.-]+\.\w+|\.env)\n")


@dataclass(frozen=True, slots=True)
class Block:
    """`file`: the name that its first line gives it, empty for what is run."""

    language: str
    text: str
    file: str


def blocks(page: Path) -> list[Block]:
    found = _BLOCK.findall(page.read_text("utf-8"))
    return [Block(language, text, file[1] if (file := _FILE.match(text)) else "") for language, text in found]
