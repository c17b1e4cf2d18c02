"""Which providers there are: those of this project, and those that other distributions bring.

A distribution brings one by an entry point in the group `invitations.providers`: a subclass of
`tasks.providers.base.Provider` that names the model of its accounts as `account_model`. tasks/providers/README.md has
the steps.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NamedTuple, get_args

from config.accounts import BUILT_IN, Account, BaseAccount
from config.errors import ConfigurationError
from config.texts import escaped

GROUP = "invitations.providers"
# By its name: what is configured is below what is done.
BASE = "tasks.providers.base.Provider"


class Outside(NamedTuple):
    """A provider that another distribution brings, and the model of its accounts."""

    provider: Any
    account_model: type[BaseAccount]


def provider_names(model: type[BaseAccount]) -> tuple[str, ...]:
    """What an account of this model may give as its `provider`."""
    return get_args(model.model_fields["provider"].annotation)


@cache
def outside() -> dict[str, Outside]:
    """The providers of other distributions, by the name that an account gives as its `provider`.

    Raises:
        ConfigurationError: naming the distribution and the entry point of each that cannot be used.
    """
    found: dict[str, Outside] = {}
    taken = dict.fromkeys((name for model in BUILT_IN for name in provider_names(model)), "this project")
    faults: list[str] = []
    for entry in sorted(entry_points(group=GROUP), key=_place):
        one = _loaded(entry)
        problem = one if isinstance(one, str) else _clash(one, taken)
        if problem:
            faults.append(f"{_place(entry)}: {problem}")
        elif isinstance(one, Outside):
            names = provider_names(one.account_model)
            found.update(dict.fromkeys(names, one))
            taken.update(dict.fromkeys(names, _place(entry)))
    if faults:
        raise ConfigurationError(faults)
    return found


def models() -> Mapping[str, type[BaseAccount]]:
    """The model of an account by its `provider`. Raises ConfigurationError."""
    built_in = {name: model for model in BUILT_IN for name in provider_names(model)}
    return built_in | {name: one.account_model for name, one in outside().items()}


def read_account(fields: Mapping[str, Any]) -> Account:
    """The account with these fields, `name` and `provider` among them.

    Raises:
        KeyError: there is no such provider.
        pydantic.ValidationError: naming every fault.
        ConfigurationError: a provider from outside cannot be used.
    """
    return models()[fields["provider"]].model_validate(fields)


def _place(entry: EntryPoint) -> str:
    brought_by = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "a distribution without a name"
    return escaped(f"{brought_by}, entry point {entry.name} of {GROUP}")


def _clash(one: Outside, taken: Mapping[str, str]) -> str:
    names = [name for name in provider_names(one.account_model) if name in taken]
    return "; ".join(f"the provider {name} is of {taken[name]} already" for name in names)


def _loaded(entry: EntryPoint) -> Outside | str:
    """What an entry point brings, or what is wrong with it."""
    try:
        brought = entry.load()
        return next(_problems(brought), "") or Outside(brought(), brought.account_model)
    except Exception as error:
        # Of other errors the text is unknown, and may repeat anything.
        why = f": {error}" if isinstance(error, ImportError | AttributeError) else ""
        return escaped(f"cannot be loaded ({type(error).__name__}{why})")


def _problems(brought: Any) -> Iterator[str]:
    """What is wrong with it, each only where what stands before it is right."""
    bases = {f"{base.__module__}.{base.__qualname__}" for base in getattr(brought, "__mro__", ())}
    if not isinstance(brought, type) or BASE not in bases:
        yield f"expected a subclass of {BASE}"
        return
    abstract: frozenset[str] = getattr(brought, "__abstractmethods__", frozenset())
    missing = [*sorted(abstract), *(name for name in ("carries", "account_model") if not hasattr(brought, name))]
    if missing:
        yield f"its class lacks {', '.join(missing)}"
        return
    yield from _model_problems(brought)


def _model_problems(brought: Any) -> Iterator[str]:
    model = brought.account_model
    if not isinstance(model, type) or not issubclass(model, BaseAccount):
        yield "its account_model: expected a subclass of config.accounts.BaseAccount"
    elif not provider_names(model) or not all(isinstance(name, str) for name in provider_names(model)):
        yield 'its account_model: expected a field provider: Literal["name"]'
    elif model.lists != brought.lists:
        yield "its account_model: expected the same `lists` as its provider has"
