"""Settings and accounts: what cannot be used, and what nothing reads."""

import os
from collections.abc import Iterator
from difflib import get_close_matches

from dotenv import dotenv_values

from config.accounts_file import VARIABLE, Accounts, load_accounts
from config.errors import ConfigurationError
from config.settings import PREFIX, Settings
from ops.doctor.findings import Finding


def accounts_of(settings: Settings) -> tuple[Accounts, list[Finding]]:
    try:
        accounts = load_accounts(settings)
    except ConfigurationError as error:
        return {}, [fault_of(fault) for fault in error.faults]
    return accounts, [Finding("ok", "configuration", f"{len(accounts)} accounts can be used")]


def unknown_variables(settings: Settings) -> Iterator[Finding]:
    """Variables with our prefix, or nearly, that nothing reads: in the environment, `.env` and the secrets folder."""
    folder = settings.secrets_dir
    files = [file.name for file in folder.iterdir() if file.is_file()] if folder else []
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in sorted({name.upper() for name in (*os.environ, *dotenv_values(".env"), *files)}):
        if not _begins_nearly_as_ours(name) or name.startswith(VARIABLE) or name in known:
            continue
        near = _nearest(name, known)
        if near or name.startswith(PREFIX):
            yield Finding("warning", "variables", f"{name} is not a setting", f"correct or remove it{near}")


def _begins_nearly_as_ours(name: str) -> bool:
    first, line, _ = name.partition("_")
    return bool(get_close_matches(first + line, [PREFIX], cutoff=0.9))


def _nearest(name: str, known: set[str]) -> str:
    own = {variable.removeprefix(PREFIX): variable for variable in known}
    near = [own[one] for one in get_close_matches(name.partition("_")[2], own, n=1, cutoff=0.8)]
    if not near and "_ACCOUNTS_" in name:
        near = [f"{VARIABLE}NAME__FIELD"]
    return f"; the nearest that there is: {near[0]}" if near else ""


def fault_of(fault: str) -> Finding:
    return Finding("problem", "configuration", fault, "mend it; the worker does not start like this")
