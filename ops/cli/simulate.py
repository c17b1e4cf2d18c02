"""`invitations simulate`: providers that are none."""

import re
from typing import Annotated, Any, Literal

import typer

from ops.cli.errors import Failure
from ops.simulator import SimulatorOptions, serve

SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
OPTION_OF = {"latency_ms": "--latency", "day_seconds": "--day"}
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")


def _seconds(text: str) -> float:
    match = _TIME.fullmatch(text.strip())
    if not match:
        raise typer.BadParameter('expected a time such as "50ms", "2s", "5m" or "24h"')
    return float(match[1]) * SECONDS[match[2]]


def _time(what: str) -> Any:
    return typer.Option(help=what, parser=_seconds, metavar="TIME")


Port = Annotated[int, typer.Option(help="0 takes any free one.")]
Certificate = Annotated[
    str | None, typer.Option(help="PEM file with a certificate and its key: speaks https.", metavar="FILE")
]
Limit = Annotated[str | None, typer.Option(help='Calls an account may make: "60/minute", "60/6s".')]
Window = Annotated[Literal["fixed", "sliding", "bucket"], typer.Option(help="How the limit is counted.")]
Latency = Annotated[float, _time("Every answer leaves so long after its call came.")]
Fail = Annotated[float, typer.Option(help="Share of the calls, 0 to 1, that answer 500.")]
SendAfter = Annotated[float, _time("From the scheduled time of an invitation until it is sent.")]
Day = Annotated[float, _time("How long one day of delay lasts here.")]
RetryAfter = Annotated[Literal["seconds", "date", "none"], typer.Option(help="Form of Retry-After on a 429.")]
Seed = Annotated[int | None, typer.Option(help="Makes the choice of failing calls repeatable.")]


def simulate(  # noqa: PLR0913
    *,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Port = 8900,
    certificate: Certificate = None,
    limit: Limit = None,
    window: Window = "fixed",
    latency: Latency = "0ms",  # type: ignore[assignment]
    fail: Fail = 0.0,
    send_after: SendAfter = "2s",  # type: ignore[assignment]
    day: Day = "24h",  # type: ignore[assignment]
    retry_after: RetryAfter = "seconds",
    seed: Seed = None,
) -> None:
    """Simulate all three providers on one port, until Ctrl-C.

    GET /_stats counts the calls of each account; POST /_control changes limits and brings faults while it runs.

    Words that do something: credentials that begin with "wrong" are refused (a Wemasy token that begins with
    "wrong-permissions" is known and may not invite), and so is the shop_id 404; where WebwinkelKeur is asked for
    consent, customers of orders that begin with "without-consent" did not give it.

    \b
    Example:
      invitations simulate --port 8900 --limit 60/minute --latency 50ms --fail 0.05
    """
    try:
        options = SimulatorOptions(
            host=host,
            port=port,
            certificate=certificate,
            limit=limit,
            window=window,
            latency_ms=round(latency * 1000),
            fail=fail,
            send_after=send_after,
            day_seconds=day,
            retry_after=retry_after,
            seed=seed,
        )
    except ValueError as error:
        field, _, problem = str(error).partition(": ")
        hint = OPTION_OF.get(field, f"--{field.replace('_', '-')}")
        raise typer.BadParameter(problem, param_hint=hint) from None
    try:
        serve(options)
    except OSError as error:
        raise Failure(f"The simulator {error.strerror}.") from None
