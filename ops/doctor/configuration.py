"""Settings and accounts: what cannot be used, and what nothing reads."""

from collections.abc import Iterator

from config.accounts_file import Accounts, load_accounts
from config.errors import ConfigurationError
from config.settings import Settings
from config.unknown import unknown_variables
from ops.doctor.findings import Finding


def accounts_of(settings: Settings) -> tuple[Accounts, list[Finding]]:
    try:
        accounts = load_accounts(settings)
    except ConfigurationError as error:
        return {}, [fault_of(fault) for fault in error.faults]
    told = "1 account can be used" if len(accounts) == 1 else f"{len(accounts)} accounts can be used"
    return accounts, [Finding("ok", "configuration", told)]


def check_variables(settings: Settings) -> Iterator[Finding]:
    """Variables that nothing reads: in the environment, `.env` and the secrets folder."""
    folder = settings.secrets_dir
    files = [file.name for file in folder.iterdir() if file.is_file()] if folder else []
    for name, near in unknown_variables(*files):
        nearest = f"; the nearest that there is: {near}" if near else ""
        yield Finding("warning", "variables", f"{name} is not a setting", f"correct or remove it{nearest}")


def fault_of(fault: str) -> Finding:
    return Finding("problem", "configuration", fault, "mend it; the worker does not start like this")
