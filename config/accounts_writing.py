"""Writes an account into the accounts file, and its secrets into files beside it, whole or not at all."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_IMODE
from typing import BinaryIO

from config.accounts_text import TABLES

SECRET_MODE = 0o600
NEW_MODE = 0o666  # What the umask leaves of it.
Value = str | int | float | bool


def with_account(text: str, name: str, fields: Mapping[str, Value]) -> str:
    """The text of an accounts file with one account more, at its end; comments and order stay as they are."""
    table = [f"[{TABLES}.{name}]", *(f"{field} = {_toml(value)}" for field, value in fields.items())]
    gap = [] if not text.strip() else [""] if text.endswith("\n") else ["", ""]
    added = "\n".join([*gap, *table, ""])
    return text + (added.replace("\n", "\r\n") if "\r\n" in text else added)


def replace_file(path: Path, text: str) -> None:
    """Writes the file in one step: who reads meanwhile finds the old text or the new one. Owner and mode stay.

    Raises:
        OSError: it cannot be written, and is as it was.
    """
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    before = target.stat() if target.exists() else None
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    with _new(beside, SECRET_MODE if before else NEW_MODE) as file:
        if before:
            with suppress(PermissionError):
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            os.fchmod(file.fileno(), S_IMODE(before.st_mode))
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    beside.replace(target)


def write_secret(path: Path, secret: str) -> None:
    """Writes a new file that its owner alone may read. Raises OSError, FileExistsError among them."""
    with _new(path, SECRET_MODE) as file:
        file.write(f"{secret}\n".encode())


@contextmanager
def _new(path: Path, mode: int) -> Iterator[BinaryIO]:
    """A file that was not there. It is gone again where the block fails."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        try:
            yield file
        except BaseException:
            path.unlink()
            raise


def _toml(value: Value) -> str:
    """TOML writes these as JSON does, but for one control character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
