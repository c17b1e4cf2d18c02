"""The providers, by the name that an account gives as its `provider`."""

from typing import Any

from tasks.providers.base import Provider
from tasks.providers.feedbackcompany import Feedbackcompany
from tasks.providers.webwinkelkeur import Webwinkelkeur
from tasks.providers.wemasy import Wemasy

_WEBWINKELKEUR = Webwinkelkeur()

PROVIDERS: dict[str, Provider[Any]] = {
    "webwinkelkeur": _WEBWINKELKEUR,
    "trustprofile": _WEBWINKELKEUR,
    "wemasy": Wemasy(),
    "feedbackcompany": Feedbackcompany(),
}
