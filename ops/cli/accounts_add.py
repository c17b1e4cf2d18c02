"""`invitations accounts add`: asks what the provider needs, tries it, and writes the accounts file without secrets."""

import os
import re
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from redis.exceptions import RedisError

from config.accounts import Account
from config.accounts_file import accounts_of
from config.accounts_sources import Sources, Variable, Variables, variable_of
from config.accounts_text import AccountsText
from config.accounts_writing import replace_file, with_account, write_secret
from config.errors import ConfigurationError
from config.near import did_you_mean
from config.outside import models
from config.settings import PREFIX, settings
from ops.cli.accounts_check import asked
from ops.cli.accounts_fields import account_of, ask_for, given, is_secret
from ops.cli.errors import Failure, explain
from ops.cli.options import AsJson
from ops.cli.output import print_json
from ops.doctor import Finding

Provider = Annotated[str | None, typer.Option(help="Whose account it is.", show_default=False)]
Name = Annotated[str | None, typer.Option(help="How jobs name it: small letters, digits and _.", show_default=False)]
SecretTo = Annotated[
    Literal["variable", "file"] | None,
    typer.Option(
        help=f"Where secrets go: a variable that you set, or a file of the folder that {PREFIX}SECRETS_DIR names."
        " Without this into a file, where that folder can be written.",
        show_default=False,
    ),
]
Offline = Annotated[bool, typer.Option("--offline", help="Do not ask the provider whether it takes the credentials.")]
GOOD_NAME = re.compile(r"[a-z0-9_]{1,64}")
# 3d is read as a number too, of milliseconds, but is to be written as it is.
NUMBER = re.compile(r"[+-]?[\d.]+")


@dataclass(frozen=True)
class New:
    """The account that is to be added. `fields` are for the file, `secrets` are not; the rest comes from variables."""

    account: Account
    fields: Mapping[str, Any]
    secrets: Mapping[str, str] = field(repr=False)

    @property
    def variables(self) -> Variables:
        """The secrets, as they will be given."""
        name = self.account.name
        return {
            (name, one): Variable(variable_of(name, one), "given now", secret) for one, secret in self.secrets.items()
        }


def add(  # noqa: PLR0913 - each is an option
    context: typer.Context,
    *,
    provider: Provider = None,
    name: Name = None,
    secret_to: SecretTo = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Add an account: asks what its provider needs, asks the provider whether it takes it, writes the accounts file.

    Every field of an account is an option, such as --shop-id 1 or --limit 60/minute; on a terminal what lacks is asked
    for. A secret is no option, as it would be seen: it is asked for, comes from its variable, or with --code - from
    standard input. It never stands in the accounts file, but in a file of its own, or you are told which variable to
    set.
    With --base-url another than the provider itself is asked, such as `invitations simulate`.

    \b
    Example:
      invitations accounts add
      invitations accounts add --provider webwinkelkeur --name shop_nl --shop-id 1 --secret-to file
      printf '%s' "$CODE" | invitations accounts add --provider webwinkelkeur --name shop_nl --shop-id 1 --code -
    """
    sources = Sources.of(settings())
    if sources.file.faults:
        raise ConfigurationError(sources.file.faults)
    folder = _secrets_folder(secret_to)
    chosen = _provider(provider)
    new = _new(chosen, _name(name, sources), context.args, sources)
    text = with_account(sources.file.text, new.account.name, new.fields)
    after = Sources(AccountsText.of(sources.file.path, text), {**sources.variables, **new.variables})
    new_faults = set(_faults(after)) - set(_faults(sources))
    if new_faults:
        raise ConfigurationError(sorted(new_faults))
    finding = None if offline else _asked(new.account)
    files = _write(new, sources.file, text, folder)
    _tell(new, sources, files, finding, as_json)


def _secrets_folder(secret_to: Literal["variable", "file"] | None) -> Path | None:
    folder = settings().secrets_dir
    if secret_to is None:
        return folder if folder and os.access(folder, os.W_OK) else None
    if secret_to == "variable":
        return None
    if folder is None:
        problem = f"expected {PREFIX}SECRETS_DIR to name a folder, which the workers have too"
        raise typer.BadParameter(problem, param_hint="--secret-to")
    return folder


def _provider(provider: str | None) -> str:
    known = sorted(models())
    if provider is None and sys.stdin.isatty():
        typer.echo(f"Providers: {', '.join(known)}", err=True)
    while provider is None and sys.stdin.isatty():
        answer = str(typer.prompt("provider", err=True)).strip().lower()
        provider = answer if answer in known else None
        if provider is None:
            typer.echo(f"There is none of that name{did_you_mean(answer, known)}", err=True)
    if provider not in known:
        problem = f"expected one of {', '.join(known)}{did_you_mean(provider or '', known)}"
        raise typer.BadParameter(problem, param_hint="--provider")
    return provider


def _name(name: str | None, sources: Sources) -> str:
    while name is None and sys.stdin.isatty():
        answer = str(typer.prompt("name, by which jobs call it", err=True)).strip()
        problem = _wrong_name(answer, sources)
        name = None if problem else answer
        if problem:
            typer.echo(problem, err=True)
    problem = _wrong_name(name or "", sources)
    if problem:
        raise typer.BadParameter(problem, param_hint="--name")
    return name or ""


def _wrong_name(name: str, sources: Sources) -> str:
    if not GOOD_NAME.fullmatch(name):
        return "expected small letters, digits and _ only, such as shop_nl"
    if name in sources.file.tables:
        return f"{name} is there already, at {sources.file.place(name)}: change it there"
    variable = sources.variables.get((name, "provider"))
    return f"{name} is there already, by {variable}" if variable else ""


def _new(provider: str, name: str, arguments: list[str], sources: Sources) -> New:
    model = models()[provider]
    set_already = {one: variable.value for (account, one), variable in sources.variables.items() if account == name}
    known = {"provider": provider, **given(arguments, model, name), **set_already}
    if sys.stdin.isatty():
        ask_for(model, known, name)
    account = account_of(model, known, name)
    own = {one: text for one, text in known.items() if one not in set_already}
    return New(
        account,
        {one: _as_given(account, one, text) for one, text in own.items() if not is_secret(model, one)},
        {one: text for one, text in own.items() if is_secret(model, one)},
    )


def _as_given(account: Account, name: str, text: str) -> str | int | float:
    """A number as a number, yes or no as a bool; all else stays as it was written."""
    value = getattr(account, name)
    is_plain = isinstance(value, bool) or (isinstance(value, int | float) and NUMBER.fullmatch(text))
    return value if is_plain else text


def _faults(sources: Sources) -> list[str]:
    """What is wrong with all accounts together; one added before may still wait for its secret."""
    try:
        accounts_of(sources, settings())
    except ConfigurationError as error:
        return error.faults
    return []


def _asked(account: Account) -> Finding:
    try:
        finding = asked({account.name: account})[account.name]
    except RedisError as error:
        why, _ = explain(error)
        raise Failure(f"{account.name} was not added: {why} Or add --offline: then nobody is asked.") from None
    if finding.level in ("ok", "unknown"):
        return finding
    raise Failure(
        f"{account.name} was not added: {finding.found}. Run this again when that is mended; with --base-url another"
        " address is asked, such as a simulator's, and with --offline it is added without asking the provider."
    )


def _write(new: New, file: AccountsText, text: str, folder: Path | None) -> list[Path]:
    """Returns the files of the secrets, where they go into a folder. Raises Failure, and nothing is changed."""
    name = new.account.name
    files = {folder / variable_of(name, one): secret for one, secret in new.secrets.items()} if folder else {}
    try:
        with ExitStack() as undo:
            for path, secret in files.items():
                write_secret(path, secret)
                undo.callback(path.unlink)
            if AccountsText.read(file.path).text != file.text:
                raise Failure(f"{file.path} was changed meanwhile, nothing was added: run this again")
            replace_file(file.path, text)
            undo.pop_all()
    except OSError as error:
        raise Failure(f"{error.filename or file.path}: {error.strerror}; nothing was added") from None
    return list(files)


def _tell(new: New, sources: Sources, files: list[Path], finding: Finding | None, as_json: bool) -> None:
    name = new.account.name
    to_set = [] if files else [variable_of(name, one) for one in new.secrets]
    if as_json:
        print_json(
            {
                "account": name,
                "provider": new.account.provider,
                "file": str(sources.file.path),
                "secret_files": [str(path) for path in files],
                "variables_to_set": to_set,
                "credentials": finding.found if finding else None,
            }
        )
        return
    typer.echo(f"{name} was added to {sources.file.path}.")
    typer.echo(f"Credentials: {finding.found if finding else 'not tried'}.")
    for path in files:
        typer.echo(f"{path} holds the secret; its owner alone may read it, so let the workers run as that user.")
    for variable in to_set:
        typer.echo(f"Set {variable} to the secret where workers, beat and this command run: they do not start without.")
    for (account, _), variable_set in sources.variables.items():
        if account == name and variable_set.source != "secrets folder":
            typer.echo(f"It takes {variable_set}: set that where workers and beat run, too.")
    typer.echo("Restart workers and beat: they read the accounts at their start.")
