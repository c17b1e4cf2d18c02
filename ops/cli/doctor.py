"""`invitations doctor`: what is wrong with this deployment, and what to do; and its cures for what is old."""

from dataclasses import asdict
from typing import Annotated

import typer

from config.settings import settings
from ops.cli.bulk import advancing
from ops.cli.errors import FAILED
from ops.cli.options import AsJson
from ops.cli.output import cell, print_json, print_table, table
from ops.doctor import LOST_KEY, PROBLEM, examine, tidy
from worker.connection import redis
from worker.reencrypt import Sealing, reencrypt
from worker.vault import Vault

Reencrypt = Annotated[bool, typer.Option("--reencrypt", help="Seal everything in Redis with the newest key.")]

Online = Annotated[bool, typer.Option("--online", help="Ask the providers whether they take the credentials.")]
Tidy = Annotated[bool, typer.Option("--tidy", help="Remove what older versions and faults left in Redis.")]


def examine_deployment(
    *, online: Online = False, tidy: Tidy = False, reencrypt: Reencrypt = False, as_json: AsJson = False
) -> None:
    """Say what is wrong with this deployment, and what to do.

    Looks at configuration, Redis, encryption, clock, workers, inbox, queue, beat, accounts, and what older versions
    left. A problem makes the exit code 1.

    With --online each provider is asked by a call that invites nobody: WebwinkelKeur and TrustProfile for one row of
    their list, The Feedback Company for an access token, unless one is kept. Wemasy has no such call, nor has a fixed
    access token: there it says when a delivery passed last. The call counts towards the account's limit.

    With --tidy it looks at nothing else and removes what older versions left: messages that nobody reads, jobs of
    customers who were forgotten; and the notes of lessons that broke off. Workers go on meanwhile.

    With --reencrypt it looks at nothing else and seals every job in Redis as INVITATIONS_ENCRYPTION_KEYS says: with the
    first of the keys, or not at all. Workers go on meanwhile; to run it again does no harm. What none of the keys opens
    stays as it is, and makes the exit code 1.

    \b
    Example:
      invitations doctor
      invitations doctor --online
      invitations doctor --tidy
      invitations doctor --reencrypt
    """
    if sum((online, tidy, reencrypt)) > 1:
        raise typer.BadParameter("expected one of --online, --tidy and --reencrypt, not several")
    if reencrypt:
        _reencrypt(as_json)
    elif tidy:
        _tidy(as_json)
    else:
        _examine(online, as_json)


def _examine(online: bool, as_json: bool) -> None:
    findings = examine(online=online)
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


def _tidy(as_json: bool) -> None:
    with advancing(redis().dbsize()) as advance:
        done = tidy(redis(), advance)
    if as_json:
        print_json({"ok": True, **asdict(done)})
    else:
        typer.echo(
            f"removed: {done.messages} messages of older workers, {done.jobs} jobs, {done.notes} notes of faults"
        )


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
