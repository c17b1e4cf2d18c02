"""How Sphinx builds the pages here, and those Markdown files of the repository that they lead to: `make docs`.

Sphinx with MyST, for it is kept (MkDocs 1 and Material are not, their successors are young), fails on every link and
anchor that leads nowhere, and Furo's pages fetch nothing from elsewhere. The repository is the source, so that a link
from one of its files to another is checked here as well.
"""

import re
from pathlib import Path
from typing import Any

from ops.docs.generated import ROOT, filled

LINK = re.compile(r"\[([^]]+)\]\(([^)#:]+)\)")

project = "The invitation worker"
extensions = ["myst_parser"]
root_doc = "ops/docs/index"
include_patterns = [
    "README.md",
    "CHANGELOG.md",
    "ops/*.md",
    "ops/**/*.md",
    "tasks/providers/README.md",
]
exclude_patterns = [".*", "build", "tests", "**/node_modules"]

myst_heading_anchors = 4
nitpicky = True

html_theme = "furo"
html_title = project
html_static_path: list[str] = []
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
# Whoever opens the folder finds the first page.
html_additional_pages = {"index": "forward.html"}
templates_path = ["templates"]


def _prepare(app: Any, docname: str, source: list[str]) -> None:
    source[0] = _without_folders(filled(source[0]), ROOT / Path(docname).parent)


def _without_folders(page: str, folder: Path) -> str:
    """A link to a folder leads to its README, or is none: the built pages have no folders to show."""

    def link(found: re.Match[str]) -> str:
        target = folder / found[2]
        if not target.is_dir():
            return found[0]
        return f"[{found[1]}]({found[2]}/README.md)" if (target / "README.md").exists() else found[1]

    return LINK.sub(link, page)


def setup(app: Any) -> None:
    app.connect("source-read", _prepare)
