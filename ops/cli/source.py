"""A file to import: opened, decoded line by line, and how much of it has been read."""

import codecs
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO, Literal

import typer

Format = Literal["csv", "jsonl"]
FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}

STANDARD_INPUT = "standard input"


@dataclass(frozen=True)
class Source:
    """Lines of text. `size` is in bytes, None where it is not known before the end."""

    lines: Iterator[str]
    size: int | None
    _file: BinaryIO

    def position(self) -> int:
        """Bytes read so far."""
        return self._file.tell() if self.size is not None else 0


def format_of(file: str) -> Format:
    """The format that a file's name tells.

    Raises:
        typer.BadParameter: it tells none.
    """
    if (format := FORMATS.get(Path(file).suffix.lower())) is None:
        if file == "-":
            problem = f"expected csv or jsonl: {STANDARD_INPUT} has no name that tells"
            raise typer.BadParameter(problem, param_hint="--format")
        problem = f"expected one, as the file's name ends in none of {', '.join(FORMATS)}"
        raise typer.BadParameter(problem, param_hint="--format")
    return format


def _binary(file: str) -> BinaryIO:
    return sys.stdin.buffer if file == "-" else Path(file).open("rb")


@contextmanager
def opened(file: str, encoding: str) -> Iterator[Source]:
    """The lines of a file, or of standard input for "-". Bytes that are no text become U+FFFD.

    Raises:
        typer.BadParameter: the file cannot be read, or nobody knows the encoding.
    """
    try:
        codecs.lookup(encoding)
    except LookupError:
        problem = "expected one such as utf-8 or windows-1252"
        raise typer.BadParameter(problem, param_hint="--encoding") from None
    try:
        binary = _binary(file)
        status = os.fstat(binary.fileno())
    except OSError as error:
        what = STANDARD_INPUT if file == "-" else "FILE"
        raise typer.BadParameter(f"cannot be read: {error.strerror}", param_hint=what) from None
    with binary, TextIOWrapper(binary, encoding, errors="replace", newline="") as text:
        yield Source(text, status.st_size if S_ISREG(status.st_mode) else None, binary)
