"""The providers, by the name that an account gives as its `provider`."""

from collections.abc import Iterator, Mapping
from typing import Any

from config.outside import outside
from tasks.providers.base import Provider
from tasks.providers.feedbackcompany import Feedbackcompany
from tasks.providers.webwinkelkeur import Webwinkelkeur
from tasks.providers.wemasy import Wemasy

_WEBWINKELKEUR = Webwinkelkeur()

BUILT_IN: dict[str, Provider[Any]] = {
    "webwinkelkeur": _WEBWINKELKEUR,
    "trustprofile": _WEBWINKELKEUR,
    "wemasy": Wemasy(),
    "feedbackcompany": Feedbackcompany(),
}


class Providers(Mapping[str, Provider[Any]]):
    """The providers of this project and those that other distributions bring. The latter are loaded when they are first
    asked for, as they import this package themselves. Raises ConfigurationError where one cannot be used."""

    def __getitem__(self, name: str) -> Provider[Any]:
        known: Provider[Any] = BUILT_IN.get(name) or outside()[name].provider
        return known

    def __iter__(self) -> Iterator[str]:
        return iter((*BUILT_IN, *outside()))

    def __len__(self) -> int:
        return len(BUILT_IN) + len(outside())


PROVIDERS = Providers()
