"""The text of the accounts file: its tables, and on which line each field stands."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from config.near import did_you_mean
from config.texts import escaped

TABLES = "accounts"
_AT_LINE = re.compile(r"(.*) \(at line (\d+), column (\d+)\)")
Keys = tuple[str, ...]


@dataclass(frozen=True)
class AccountsText:
    """What stands in the file, none of it checked but that it is tables. `faults`: what else stands there, by line."""

    path: Path
    text: str = field(default="", repr=False)
    tables: Mapping[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    faults: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self:
        """As the file stands now; empty where there is none."""
        try:
            raw = path.read_bytes() if path.exists() else b""
            return cls.of(path, raw.decode("utf-8-sig"))
        except OSError as error:
            return cls(path, faults=(f"{path}: expected a TOML file that can be read ({error.strerror})",))
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            return cls(path, faults=(f"{path}:{line}: expected a text in UTF-8",))

    @classmethod
    def of(cls, path: Path, text: str) -> Self:
        """As the file would stand with this text."""
        try:
            everything = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            return cls(path, text, faults=(_syntax_fault(path, text, str(error)),))
        accounts = everything.pop(TABLES, {})
        strange: list[Keys] = [(name,) for name in everything]
        if isinstance(accounts, dict):
            strange += [(TABLES, name) for name, table in accounts.items() if not isinstance(table, dict)]
            tables = {name: table for name, table in accounts.items() if isinstance(table, dict)}
        else:
            strange, tables = [*strange, (TABLES,)], {}
        read = cls(path, text, tables)
        return cls(path, text, tables, tuple(read._strange(keys) for keys in strange))

    def place(self, *keys: str) -> str:
        """File and line of a field of an account, or of what is nearest above it."""
        line = _nearest(self._lines, (TABLES, *keys))
        return f"{self.path}:{line}" if line else str(self.path)

    def _strange(self, keys: Keys) -> str:
        line = _nearest(self._lines, keys)
        hint = did_you_mean(keys[0], [TABLES]) if keys[0] != TABLES else ""
        return f"{self.path}:{line}: {escaped('.'.join(keys))}: expected only tables named [{TABLES}.NAME]{hint}"

    @cached_property
    def _lines(self) -> dict[Keys, int]:
        return dict(_positions(self.text))


def _syntax_fault(path: Path, text: str, message: str) -> str:
    found = _AT_LINE.fullmatch(message)
    what, *place = found.groups() if found else (message, str(text.count("\n") + 1))
    hint = "; a text stands in quotes" if what == "Invalid value" else ""
    return escaped(f"{':'.join((str(path), *place))}: expected TOML, such as shop_id = 1 ({what}{hint})")


def _nearest(lines: Mapping[Keys, int], keys: Keys) -> int | None:
    ways = (keys[:length] for length in range(len(keys), 0, -1))
    return next((lines[way] for way in ways if way in lines), None)


def _positions(text: str) -> Iterator[tuple[Keys, int]]:
    """Every table and field, and the line on which its header or its statement begins; for a text that is TOML.

    What TOML is the parser alone knows: the fewest lines that it takes by themselves are a statement.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    table: Keys = ()
    known: set[Keys] = set()
    begins = 0
    for ends in range(1, len(lines) + 1):
        statement = "\n".join(lines[begins:ends])
        try:
            keys = list(_keys(tomllib.loads(statement)))
        except tomllib.TOMLDecodeError:
            continue
        is_header = statement.lstrip().startswith("[")
        if is_header:
            table = ()
        for way in (table + key for key in keys):
            if way not in known:
                known.add(way)
                yield way, begins + 1
        if is_header:
            table = keys[-1]
        begins = ends


def _keys(value: Any) -> Iterator[Keys]:
    """The ways to all that stands in a value, a table before its fields."""
    if isinstance(value, list) and value and isinstance(value[-1], dict):
        value = value[-1]
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (name,)
            for keys in _keys(inner):
                yield (name, *keys)
