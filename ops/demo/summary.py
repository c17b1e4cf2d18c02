"""What the demo says at its end: the numbers, what they mean, and what to do next."""

import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from ops.demo.places import Places
from ops.demo.services import LOGIN
from ops.demo.snapshot import HEARD_MS, Obedience, Snapshot

SEEN = """\
What you saw: two of the providers take 25 calls in 5 seconds. For shop_nl no
limit was configured, for reviews one that is far too high. The workers met
some 429s, shut the gate for both of them until each Retry-After was over, and
learned the limit. portal's provider says its limit in the headers of its
answers, and the workers keep to it."""


@dataclass(frozen=True, slots=True)
class Result:
    """How it ended; `seconds` from the import until the last invitation was delivered."""

    total: int
    last: Snapshot
    obedience: Obedience
    seconds: float


def print_summary(console: Console, result: Result) -> None:
    """The numbers, and what they mean."""
    obedience = result.obedience
    under_way = f"{obedience.under_way} under way when it was given (came in its first {HEARD_MS / 1000:g} s)"
    inside = f"{obedience.inside} begun after it was known, {under_way}"
    _print_pairs(
        console,
        {
            "delivered": f"{result.last.delivered} of {result.total}",
            "sent": _sent(result.last),
            "429s met": f"{sum(result.last.throttled.values())}",
            "calls inside a Retry-After": inside,
            "time": f"{result.seconds:.0f} s",
        },
    )
    console.print(f"\n{SEEN}")


def _sent(last: Snapshot) -> str:
    """The demo ends with the last delivery, which is before the provider's last mail."""
    sent, listed = last.count("sent"), last.listed
    rest = "" if sent == listed else "; the others had not left yet, or nobody had asked"
    return f"{sent} of the {listed} that can be (WebwinkelKeur lists them){rest}"


def print_next(console: Console) -> None:
    """What to do after a demo that has ended."""
    console.print("\nNext: `make demo KEEP=1` leaves it all running, with Flower to look at.")
    console.print("The README says how to enqueue from another service.")


def print_addresses(console: Console, places: Places) -> None:
    """Where everything is while it is kept running, and how to look at it from another terminal."""
    user, password = LOGIN.split(":")
    workers = {f"metrics of worker {number}": address for number, address in enumerate(places.metrics, 1)}
    _print_pairs(
        console,
        {
            "Flower": f"{places.flower} (user {user}, password {password})",
            **workers,
            "simulator": f"{places.simulator}/_stats",
            "Redis": places.redis,
            "logs": str(places.folder),
        },
    )
    console.print(
        f"""
In another terminal, in this project:
  export INVITATIONS_REDIS_URL={places.redis} INVITATIONS_ACCOUNTS_FILE={places.accounts_file}
  {_command()} watch

Ctrl-C ends it all.""",
        soft_wrap=True,
    )


def _print_pairs(console: Console, pairs: dict[str, str]) -> None:
    width = max(map(len, pairs)) + 2
    console.print()
    for name, value in pairs.items():
        console.print(f"{name:{width}}{value}")


def _command() -> str:
    """How the command line is called from a shell that knows nothing of the virtual environment."""
    beside = Path(sys.executable).with_name("invitations")
    return str(beside) if beside.exists() else f"{sys.executable} -m ops.cli"
