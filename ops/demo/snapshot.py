"""How the demo stands at one moment: what the ledger says, and what the providers counted."""

from dataclasses import dataclass

from redis import Redis

from ops.demo.loopback import get_json
from ops.demo.places import AT_SIMULATOR, Places
from worker.ledger import Ledger
from worker.overview import AccountView, overview

DELIVERED = ("accepted", "sent", "duplicate")
LOST = ("rejected", "failed", "refused", "cancelled", "suppressed")
LISTING = "webwinkelkeur"
TIMEOUT_SECONDS = 5
HEARD_MS = 500
"""From when a 429 leaves the provider until the gate is shut: a call that comes until then was under way."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`throttled` counts each account's calls that met a 429; `now` is in milliseconds, by Redis's clock."""

    now: int
    views: dict[str, AccountView]
    throttled: dict[str, int]

    def count(self, *states: str) -> int:
        """The invitations in these states."""
        return sum(view.states[state] for view in self.views.values() for state in states)

    @property
    def listed(self) -> int:
        """The invitations of the providers that tell what they sent."""
        views = [view for view in self.views.values() if view.provider == LISTING]
        return sum(sum(view.states.values()) for view in views)

    @property
    def delivered(self) -> int:
        return self.count(*DELIVERED)


@dataclass(frozen=True, slots=True)
class Obedience:
    """Calls that came while a Retry-After ran: `inside` it, or `under_way` when it was given."""

    inside: int
    under_way: int


class Observer:
    """Looks at the ledger and at the simulator, and changes nothing.

    Raises redis.RedisError or requests.RequestException where one of them is away.
    """

    def __init__(self, places: Places) -> None:
        client = Redis.from_url(places.redis, decode_responses=True, socket_timeout=TIMEOUT_SECONDS)
        self._ledger = Ledger(client)
        self._accounts = places.accounts()
        self._simulator = places.simulator

    def look(self) -> Snapshot:
        """How everything stands now."""
        counts = get_json(f"{self._simulator}/_stats")["accounts"]
        throttled = {name: counts.get(key, {}).get("rejected_by_limit", 0) for name, key in AT_SIMULATOR.items()}
        return Snapshot(self._ledger.now(), overview(self._ledger, self._accounts), throttled)

    def obedience(self) -> Obedience:
        """How the calls so far stood to the Retry-After of their account."""
        ages = [call["retry_after_age_ms"] for call in get_json(f"{self._simulator}/_calls")]
        inside = [age for age in ages if age is not None]
        late = sum(1 for age in inside if age > HEARD_MS)
        return Obedience(late, len(inside) - late)
