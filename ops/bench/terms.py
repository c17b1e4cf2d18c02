"""What the benchmark's provider grants an account, and the least time in which that lets calls through."""

from dataclasses import asdict, dataclass
from typing import Any

from ops.simulator.limits import NS_PER_SECOND, Rate, Window, WindowKind, new_window

NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Terms:
    """At most `count` calls in `period_ms` (None: no limit), counted in a window of `kind`.

    Every answer leaves after `latency_ms`; with `headers` it carries `X-RateLimit-*`. `shared`: another client makes
    half of the calls that the limit allows, evenly, from the first call on.
    """

    count: int | None = None
    period_ms: int = 1_000
    kind: WindowKind = "fixed"
    latency_ms: int = 0
    headers: bool = True
    shared: bool = False

    @property
    def rate(self) -> Rate | None:
        return None if self.count is None else Rate(self.count, self.period_ms * NS_PER_MS)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def floor_seconds(terms: Terms, calls: int) -> float:
    """Seconds from the first to the last of `calls`, made each as soon as the provider would accept it: no client can
    need less, the bursts included. Of a shared limit one half is the other client's: who is there first when a window
    opens takes more than half, and less time."""
    if terms.count is None:
        return 0.0
    count = max(1, terms.count // 2) if terms.shared else terms.count
    window = new_window(terms.kind, Rate(count, terms.period_ms * NS_PER_MS))
    now = 0
    for _ in range(calls):
        now += _wait(window, now)
    return now / NS_PER_SECOND


def _wait(window: Window, now: int) -> int:
    """How long after `now` the window accepts a call, which is made then."""
    waited = 0
    while (wait := window.take(now + waited).wait_ns) is not None:
        waited += wait
    return waited
