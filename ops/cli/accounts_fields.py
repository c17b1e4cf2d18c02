"""The fields of an account as `invitations accounts add` is given them: options, variables, standard input, answers."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

import typer
from pydantic import SecretStr

from config.accounts import Account, BaseAccount
from config.accounts_file import validated
from config.accounts_sources import variable_of
from config.errors import REQUIRED
from config.near import did_you_mean

FROM_STDIN = "-"


def option(field: str) -> str:
    """--shop-id for shop_id."""
    return "--" + field.replace("_", "-")


def fields_of(model: type[BaseAccount]) -> list[str]:
    """Every field that an account of this model may give."""
    return [field for field in model.model_fields if field not in ("name", "provider")]


def is_secret(model: type[BaseAccount], field: str) -> bool:
    return _holds_secret(model.model_fields[field].annotation)


def _holds_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(map(_holds_secret, get_args(annotation)))


def given(arguments: list[str], model: type[BaseAccount], account: str) -> dict[str, str]:
    """The fields that options of their names give; what is to come from standard input is read from there.

    Raises:
        typer.BadParameter: for what is no field, has no value, or is a secret that everybody could see.
    """
    names = {option(field): field for field in fields_of(model)}
    found: dict[str, str] = {}
    for key, value in _pairs(arguments):
        if key not in names:
            raise typer.BadParameter(
                f"is no field of an account of this provider{did_you_mean(key, names)}", param_hint=key
            )
        field = names[key]
        if not is_secret(model, field):
            found[field] = value
        elif value != FROM_STDIN:
            problem = f"it would be seen in the list of processes: {_ways(account, field)}"
            raise typer.BadParameter(problem, param_hint=key)
        elif not sys.stdin.isatty():
            found[field] = sys.stdin.readline().rstrip("\r\n")
    return found


def _pairs(arguments: Iterable[str]) -> Iterator[tuple[str, str]]:
    rest = iter(arguments)
    for key in rest:
        if not key.startswith("--"):
            # Not repeated: it may be a secret.
            raise typer.BadParameter("expected options, such as --shop-id 1")
        name, equals, value = key.partition("=")
        if not equals:
            value = next(rest, "")
            if not value or value.startswith("--"):
                raise typer.BadParameter("expected a value", param_hint=name)
        yield name, value


def ask_for(model: type[BaseAccount], known: dict[str, str], name: str) -> None:
    """Adds to `known` what the provider needs, as somebody at the terminal answers. What may be left out is asked for
    only while the account cannot be used without."""
    for field in [field for field in fields_of(model) if field not in BaseAccount.model_fields]:
        while field not in known:
            if not model.model_fields[field].is_required() and isinstance(made(model, known, name), BaseAccount):
                break
            answer = _answer(model, field)
            if not answer:
                break
            faults = made(model, {**known, field: answer}, name)
            wrong = [message for where, message in faults if where == field] if isinstance(faults, list) else []
            if wrong:
                typer.echo(f"{field}: {wrong[0]}", err=True)
            else:
                known[field] = answer


def _answer(model: type[BaseAccount], field: str) -> str:
    required, hidden = model.model_fields[field].is_required(), is_secret(model, field)
    hints = [*(["not shown"] if hidden else []), *([] if required else ["Enter for none"])]
    text = f"{field} ({', '.join(hints)})" if hints else field
    default = None if required else ""
    return str(typer.prompt(text, default=default, hide_input=hidden, show_default=False, err=True)).strip()


def made(model: type[BaseAccount], known: Mapping[str, str], name: str) -> Account | list[tuple[str, str]]:
    """The account with these fields, or its faults by field."""
    return validated(model, {**known, "name": name})


def account_of(model: type[BaseAccount], known: Mapping[str, str], name: str) -> Account:
    """The account with these fields.

    Raises:
        typer.BadParameter: naming every fault by its option.
    """
    account = made(model, known, name)
    if isinstance(account, BaseAccount):
        return account
    raise typer.BadParameter("; ".join(_fault(model, name, field, message) for field, message in account))


def _fault(model: type[BaseAccount], account: str, field: str, message: str) -> str:
    if not field:
        return message
    secret = field in model.model_fields and is_secret(model, field)
    return f"{option(field)} {message}" + (f": {_ways(account, field)}" if secret and message == REQUIRED else "")


def _ways(account: str, field: str) -> str:
    return (
        f"leave it out on a terminal to be asked for it, set {variable_of(account, field)},"
        f" or give {option(field)} - and the secret on a line of standard input"
    )
