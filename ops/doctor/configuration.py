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
    """Variables with our prefix that nothing reads, in the environment, `.env` and the secrets folder."""
    folder = settings.secrets_dir
    files = [file.name for file in folder.iterdir() if file.is_file()] if folder else []
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in sorted({name.upper() for name in (*os.environ, *dotenv_values(".env"), *files)}):
        if name.startswith(PREFIX) and not name.startswith(VARIABLE) and name not in known:
            advice = f"correct or remove it{_nearest(name, known)}"
            yield Finding("warning", "variables", f"{name} is not a setting", advice)


def _nearest(name: str, known: set[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.8)
    if not near and name.startswith(VARIABLE.rstrip("_")):
        near = [f"{VARIABLE}NAME__FIELD"]
    return f"; the nearest that there is: {near[0]}" if near else ""


def fault_of(fault: str) -> Finding:
    return Finding("problem", "configuration", fault, "mend it; the worker does not start like this")
