"""Addresses that a command is given: one by one, or a file of many."""

from dataclasses import dataclass, field
from typing import Annotated

import typer

from ops.cli.source import opened

LONGEST = 320
UNREADABLE = "\ufffd"
"""What stands for bytes that are not UTF-8: another person's address, perhaps."""

Emails = Annotated[list[str] | None, typer.Option("--email", help="An address; repeat it for several.")]
AddressFile = Annotated[
    str | None, typer.Option("--file", help="Addresses, one on each line; - for standard input.", metavar="FILE")
]


@dataclass(frozen=True, slots=True)
class Given:
    """An address, and what to call it where it may not be repeated: its place among the options, or its line."""

    place: int
    address: str = field(repr=False)


def given(emails: list[str] | None, file: str | None) -> list[Given]:
    """The addresses, in order; empty lines are left out.

    Raises:
        typer.BadParameter: neither or both are there, the file cannot be read, or something is no address.
    """
    if bool(emails) == bool(file):
        raise typer.BadParameter("expected either --email or --file")
    if file:
        with opened(file, "utf-8-sig") as source:
            lines = [line.strip() for line in source.lines]
    found = [Given(place, text) for place, text in enumerate(lines if file else emails or [], 1) if text]
    where = "line" if file else "--email, place"
    bad = [f"{where} {one.place}" for one in found if not _may_be_address(one.address)]
    if bad:
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        raise typer.BadParameter(f"expected an address such as jane@example.com: {bad[0]}{more}")
    return found


def _may_be_address(text: str) -> bool:
    """Any that a refused job may hold as well: it need not be one that mail reaches."""
    local, _, domain = text.rpartition("@")
    return bool(local and domain) and text.isprintable() and UNREADABLE not in text and len(text) <= LONGEST
