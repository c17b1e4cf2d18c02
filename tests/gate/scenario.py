"""What one run of the modelled workers against a modelled provider is about, and what came of it."""

from dataclasses import dataclass
from typing import Literal

from ops.simulator.limits import WindowKind, parse_rate

HeaderStyle = Literal["none", "window", "per_minute"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`limit` is the provider's; `configured` what the account says of it. `headers`: whether the provider states its
    limit, and as calls of one window or of a minute. `other_share`: how much of the limit another client asks for,
    evenly. `out_ms`: the mean of what a call takes, over its least, from its claim to the provider, and back;
    `stray_ms`: one in a hundred takes up to so much longer. `cold_ms`: a worker that has just started sends nothing
    until so much later at most, half of it at least: it loads and connects."""

    limit: str
    window: WindowKind
    configured: str | None = None
    headers: HeaderStyle = "none"
    other_share: float = 0.0
    workers: int = 2
    count: int = 600
    seed: int = 1
    latency_ms: float = 50.0
    out_ms: float = 3.0
    stray_ms: float = 15.0
    cold_ms: float = 0.0
    concurrency: int = 10

    @property
    def name(self) -> str:
        """In words, for a row of a table."""
        shared = " shared" if self.other_share else ""
        said = "" if self.headers == "none" else f" headers {self.headers}"
        cold = " cold" if self.cold_ms else ""
        return f"{self.limit} {self.window}, {self.configured or 'unknown'}{shared}{said}{cold}, workers {self.workers}"

    @property
    def floor_ms(self) -> float:
        """The least time in which the provider could accept all: a window's calls at once, then one window a time."""
        rate = parse_rate(self.limit)
        share = rate.count * (1 - self.other_share)
        return (self.count / share - 1) * rate.period_ns / 1e6


@dataclass(frozen=True, slots=True)
class Figures:
    """`of_floor`: the time to the last acceptance, in floors. `refused`: per thousand that were accepted. `inside`:
    calls that began after a Retry-After had been written down and reached the provider before it was over."""

    of_floor: float
    refused: float
    inside: int
    accepted: int
    turns: int
