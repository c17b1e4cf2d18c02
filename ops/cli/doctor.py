"""`invitations doctor`: what is wrong with this deployment, and what to do; and its cure for old encryption."""

from dataclasses import asdict
from typing import Annotated

import typer

from config.settings import settings
from ops.cli.bulk import advancing
from ops.cli.errors import FAILED
from ops.cli.options import AsJson
from ops.cli.output import cell, print_json, print_table, table
from ops.doctor import LOST_KEY, PROBLEM, examine
from worker.connection import redis
from worker.reencrypt import Sealing, reencrypt
from worker.vault import Vault

Reencrypt = Annotated[bool, typer.Option("--reencrypt", help="Seal everything in Redis with the newest key.")]


def examine_deployment(*, reencrypt: Reencrypt = False, as_json: AsJson = False) -> None:
    """Say what is wrong with this deployment, and what to do.

    Looks at configuration, Redis, encryption, clock, workers, inbox and beat. A problem makes the exit code 1.

    With --reencrypt it looks at nothing else and seals every job in Redis as INVITATIONS_ENCRYPTION_KEYS says: with the
    first of the keys, or not at all. Workers go on meanwhile; to run it again does no harm. What none of the keys opens
    stays as it is, and makes the exit code 1.

    \b
    Example:
      invitations doctor
      invitations doctor --reencrypt
    """
    if reencrypt:
        _reencrypt(as_json)
    else:
        _examine(as_json)


def _examine(as_json: bool) -> None:
    findings = examine()
    well = all(finding.level != PROBLEM for finding in findings)
    if as_json:
        print_json({"ok": well, "findings": [finding.as_dict() for finding in findings]})
    else:
        made = table("", "check", "found", "to do")
        for finding in findings:
            made.add_row(cell(finding.level), cell(finding.check), cell(finding.found), cell(finding.advice))
        print_table(made)
    if not well:
        raise typer.Exit(FAILED)


def _reencrypt(as_json: bool) -> None:
    with advancing(redis().dbsize()) as advance:
        seen = reencrypt(redis(), Vault.of(settings()), advance)
    _print(seen, as_json)
    if seen.unreadable:
        typer.echo(f"{seen.unreadable} stayed as they were: {LOST_KEY}", err=True)
        raise typer.Exit(FAILED)


def _print(seen: Sealing, as_json: bool) -> None:
    if as_json:
        print_json({"ok": not seen.unreadable, **asdict(seen)})
        return
    counts = f"{seen.older} sealed anew, {seen.unreadable} opened by none of the keys"
    typer.echo(f"{seen.texts} sealed texts (jobs, and the key of the ids): {counts}")
