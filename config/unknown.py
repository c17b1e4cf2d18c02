"""Variables that are meant for this project and that nothing reads: they would be passed over in silence."""

import os
from collections.abc import Iterator

from dotenv import dotenv_values

from config.accounts_sources import VARIABLE
from config.near import nearest
from config.settings import PREFIX, Settings


def unknown_variables(*secrets: str) -> Iterator[tuple[str, str]]:
    """Each variable of the environment or of `.env`, or name of a file among `secrets`, that has our prefix, or nearly,
    and is no setting; with the setting that is nearest, '' where none is near."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in sorted({name.upper() for name in (*os.environ, *dotenv_values(".env"), *secrets)}):
        if not _begins_nearly_as_ours(name) or name.startswith(VARIABLE) or name in known:
            continue
        near = _nearest(name, known)
        if near or name.startswith(PREFIX):
            yield name, near


def misspelt() -> Iterator[tuple[str, str]]:
    """Those to which a setting is near. Others with our prefix are often set by a cluster, for its services."""
    return ((name, near) for name, near in unknown_variables() if near)


def _begins_nearly_as_ours(name: str) -> bool:
    first, line, _ = name.partition("_")
    return bool(nearest(first + line, [PREFIX], 0.9))


def _nearest(name: str, known: set[str]) -> str:
    own = {variable.removeprefix(PREFIX): variable for variable in known}
    near = nearest(name.partition("_")[2], own, 0.8)
    if not near and "_ACCOUNT" in name:
        return f"{VARIABLE}NAME__FIELD"
    return own.get(near, "")
