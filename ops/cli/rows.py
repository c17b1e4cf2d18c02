"""Reads the lines of a file as jobs, one at a time. One that cannot be read never takes others along."""

import csv
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import typer

from config.near import nearest
from ops.cli.fields import COLUMNS, flat_of, job_of
from tasks.faults import Fault, Unreadable, field_name

DELIMITERS = ",;\t"
LINES_OF_ONE_RECORD = 20
UNDECODABLE = "\N{REPLACEMENT CHARACTER}"
NOT_TEXT = "expected another --encoding: some of its bytes are no text in this one"
OF_THE_LINE = "line"
QUOTES = "has a quote that is not closed, or text behind one that is"


@dataclass(frozen=True, slots=True)
class Row:
    """A job, or what stands in its place, and the line on which it begins (the first is 1)."""

    line: int
    job: dict[str, Any] | str | Unreadable = field(repr=False)


def json_rows(lines: Iterator[str], account: str | None) -> Iterator[Row]:
    """A job for each line of JSON; `account` is that of jobs that name none.

    Raises:
        typer.BadParameter: the file is one JSON document over several lines.
    """
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if number == 1 and (text == "{" or text.startswith("[")):
            raise _bad_file("expected one job on each line; `jq -c '.[]' FILE` makes such a file of a list")
        if UNDECODABLE in text:
            yield _unreadable(number, text, NOT_TEXT, account)
        elif text:
            yield Row(number, _with_account(text, account) if account else text)


def csv_rows(lines: Iterator[str], account: str | None) -> Iterator[Row]:
    """A job for each line below the header; `account` is that of lines that name none.

    Raises:
        typer.BadParameter: the header cannot be used.
    """
    source = _Lines(lines)
    first = source.take() or ""
    delimiter = max(DELIMITERS, key=first.count)
    header = [name.strip().lower().replace(" ", "_") for name in _cells(first, delimiter) or []]
    _check(header, account)
    for number, text, cells in _records(source, delimiter, len(header)):
        if UNDECODABLE in text:
            yield _unreadable(number, text, NOT_TEXT, account)
        elif cells is None:
            yield _unreadable(number, text, QUOTES, account)
        elif len(cells) != len(header):
            problem = f"expected {len(header)} columns, as in the header, found {len(cells)}"
            yield _unreadable(number, text, problem, account)
        elif any(cells):
            flat = flat_of(dict(zip(header, cells, strict=True)))
            yield Row(number, job_of({**flat, "account": flat.get("account") or account}))


def _check(header: list[str], account: str | None) -> None:
    unknown = sorted(set(header) - set(COLUMNS))
    if unknown:
        known = ", ".join(COLUMNS)
        strange = ", ".join(map(_strange, unknown))
        raise _bad_file(f"its first line names the columns {strange}; those there are: {known}")
    if len(set(header)) < len(header):
        raise _bad_file("expected each column once in its first line")
    missing = [name for name in (["email"] if account else ["account", "email"]) if name not in header]
    if missing:
        way_out = ", or --account" if "account" in missing else ""
        raise _bad_file(f"expected a column {' and a column '.join(missing)} in its first line{way_out}")


def _strange(column: str) -> str:
    meant = nearest(column, COLUMNS)
    return f"{field_name(column)} (did you mean {meant}?)" if meant else field_name(column)


class _Lines:
    """Lines that can be given back, with the number of the line taken last."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._given_back: deque[str] = deque()
        self.number = 0

    def take(self) -> str | None:
        line = self._given_back.popleft() if self._given_back else next(self._lines, None)
        self.number += line is not None
        return line

    def give_back(self, lines: list[str]) -> None:
        self._given_back.extendleft(reversed(lines))
        self.number -= len(lines)


def _records(source: _Lines, delimiter: str, width: int) -> Iterator[tuple[int, str, list[str] | None]]:
    """Line number, text and cells of each record; the cells are None where its quotes are broken.

    A cell may run over several lines. A quote that is never closed costs its own line only.
    """
    while (text := source.take()) is not None:
        begins, cells, more = source.number, _cells(text, delimiter), list[str]()
        while cells is None and len(more) < LINES_OF_ONE_RECORD and (line := source.take()) is not None:
            more.append(line)
            cells = _cells(text + "".join(more), delimiter)
        if more and (cells is None or len(cells) != width):
            source.give_back(more)
            cells, more = None, []
        if cells != []:
            yield begins, text + "".join(more), cells


def _cells(text: str, delimiter: str) -> list[str] | None:
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None


def _with_account(text: str, account: str) -> dict[str, Any] | str:
    try:
        job = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return {"account": account, **job} if isinstance(job, dict) else text


def _unreadable(number: int, text: str, problem: str, account: str | None) -> Row:
    fault = Fault(field=OF_THE_LINE, problem=problem)
    return Row(number, Unreadable(text.rstrip("\r\n"), fault, account))


def _bad_file(problem: str) -> typer.BadParameter:
    return typer.BadParameter(problem, param_hint="FILE")
