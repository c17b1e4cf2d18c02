"""The runbook as it is read: its sections by anchor, and the commands in them."""

import re
from pathlib import Path

RUNBOOK = Path(__file__).parents[2] / "ops" / "runbook.md"
FIRST = "runbook"

Block = tuple[str, ...]


def sections() -> dict[str, str]:
    """The text of each section by its anchor, in order; `runbook` is what stands before the alerts."""
    found: dict[str, str] = {}
    for part in re.split(r"^(?=##? )", RUNBOOK.read_text("utf-8"), flags=re.MULTILINE):
        heading, _, text = part.partition("\n")
        if "```sh\n" in text:
            found[heading.lstrip("# ").lower().replace(" ", "-")] = text
    return found


def blocks(text: str) -> list[Block]:
    """The commands of each block of shell, one a line."""
    return [
        tuple(block.strip().splitlines()) for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    ]
