"""What the simulator is told at its start."""

from dataclasses import dataclass
from typing import Literal, get_args

from ops.simulator.limits import WindowKind, parse_rate

RetryAfterStyle = Literal["seconds", "date", "none"]
WemasyShape = Literal["sample", "table"]
LimitHeader = Literal["per_minute", "window"]


@dataclass(frozen=True)
class SimulatorOptions:
    """Options of one simulator. Raises ValueError that begins with the name of the field that is wrong.

    host, port: where to listen; loopback unless told otherwise; port 0 takes any free one.
    certificate: a PEM file with a certificate and its key; with it the simulator speaks https.
    limit: calls an account may make, "60/minute", "20/second", "1000/hour", "60/6s"; None for no limit.
    window: how that limit is counted: "fixed" (from the first call in it), "sliding" or "bucket".
    latency_ms: every answer leaves this long after its call arrived and was processed.
    fail: share of the calls, 0 to 1, that answer 500 and are not processed.
    send_after: seconds between the scheduled time of an invitation and its being sent.
    day_seconds: how long one day of `delay` lasts here, in seconds.
    retry_after: form of that header on a 429: whole seconds, an HTTP date, or no header.
    seed: makes the choice of failing calls repeatable.
    wwk_error_code: HTTP code of WebwinkelKeur's error bodies (not documented; see NOTES.md).
    wemasy_shape: body of Wemasy's 201, as in the page's sample or as in its table.
    wemasy_registered: message of Wemasy's 422 for a known address (its words are not documented).
    limit_header: `X-RateLimit-Limit` counts calls a minute (wemasy-invite.txt), or calls in one window.
    token_seconds: how long a token of The Feedback Company is valid, in seconds.
    has_consent: what `order_permissions` answers.
    max_records: invitations remembered for each account; past that the oldest are forgotten.
    huge_bytes: size of the body that the fault "huge" streams.
    """

    host: str = "127.0.0.1"
    port: int = 8900
    certificate: str | None = None
    limit: str | None = None
    window: WindowKind = "fixed"
    latency_ms: int = 0
    fail: float = 0.0
    send_after: float = 2.0
    day_seconds: float = 86_400.0
    retry_after: RetryAfterStyle = "seconds"
    seed: int | None = None
    wwk_error_code: int = 200
    wemasy_shape: WemasyShape = "sample"
    wemasy_registered: str = "The email is already registered for this project."
    limit_header: LimitHeader = "per_minute"
    token_seconds: float = 60 * 86_400.0
    has_consent: bool = True
    max_records: int = 500_000
    huge_bytes: int = 100 * 1024 * 1024

    def __post_init__(self) -> None:
        if not self.host:
            raise ValueError('host: expected a name or address to listen on, like "127.0.0.1"')
        if self.limit is not None:
            _check_limit(self.limit)
        _within("port", self.port, 0, 65_535)
        _within("latency_ms", self.latency_ms, 0, 3_600_000)
        _within("fail", self.fail, 0, 1)
        _within("send_after", self.send_after, 0, 1e9)
        _within("day_seconds", self.day_seconds, 0.001, 1e6)
        _within("wwk_error_code", self.wwk_error_code, 200, 599)
        _within("token_seconds", self.token_seconds, 0.001, 1e9)
        _within("max_records", self.max_records, 1, 100_000_000)
        _within("huge_bytes", self.huge_bytes, 1, 1 << 40)
        _one_of("window", self.window, get_args(WindowKind))
        _one_of("retry_after", self.retry_after, get_args(RetryAfterStyle))
        _one_of("wemasy_shape", self.wemasy_shape, get_args(WemasyShape))
        _one_of("limit_header", self.limit_header, get_args(LimitHeader))


def _check_limit(limit: str) -> None:
    try:
        parse_rate(limit)
    except ValueError as error:
        raise ValueError(f"limit: {error}") from None


def _within(field: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{field}: expected a number from {low:g} to {high:g}, got {value!r}")


def _one_of(field: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{field}: expected one of {', '.join(allowed)}, got {value!r}")
