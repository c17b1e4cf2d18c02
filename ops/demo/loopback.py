"""Questions to services on this machine, past any proxy that the environment names."""

from typing import Any

import requests

TIMEOUT_SECONDS = 5
_session = requests.Session()
_session.trust_env = False


def answers(address: str) -> bool:
    """Whether something there answers without an error."""
    try:
        return _session.get(address, timeout=TIMEOUT_SECONDS).ok
    except requests.RequestException:
        return False


def get_json(address: str) -> Any:
    """The answer. Raises requests.RequestException where there is none."""
    response = _session.get(address, timeout=TIMEOUT_SECONDS)
    response.raise_for_status()
    return response.json()


def post_json(address: str, body: dict[str, Any]) -> None:
    """Raises requests.RequestException where it is not taken."""
    _session.post(address, json=body, timeout=TIMEOUT_SECONDS).raise_for_status()
