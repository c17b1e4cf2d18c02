"""The README's picture of `invitations watch`, of accounts that are none; `python -m tests.watch_picture` draws it."""

import re
from io import StringIO
from pathlib import Path

from rich.console import Console

from ops.cli.look import Look, drawn
from ops.cli.pulse import Event
from worker.overview import FINISHED, AccountView

PICTURE = Path(__file__).parents[1] / "ops" / "pictures" / "watch.svg"
NOW = 1_782_907_200_000
WIDTH = 112
FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def _account(provider: str, gate: str, waiting: int, limit: str | None, **states: int) -> AccountView:
    return AccountView(
        provider=provider,
        gate=gate,
        gate_until=NOW + 42_000 if gate == "closed" else NOW + 540_000 if gate == "paused" else None,
        gate_reason={
            "closed": "rate limited",
            "paused": "the provider answered 401: check the account's credentials",
        }.get(gate),
        waiting=waiting,
        delivering=3 if gate == "open" and waiting else 0,
        oldest_due_ms=waiting * 2_000,
        limit=limit,
        states=dict.fromkeys(FINISHED, 0) | states,
    )


LOOK = Look(
    NOW,
    {
        "shop_nl": _account("webwinkelkeur", "open", 31, "300 per 60 s", accepted=118, sent=4_121, failed=2),
        "portal": _account("wemasy", "closed", 120, "60 per 60 s", accepted=2_310),
        "reviews": _account("feedbackcompany", "paused", 17, None, accepted=903, rejected=1),
    },
    {"shop_nl": 297, "portal": 60},
    {"portal": 1},
    [
        Event(NOW - 40_000, "9b1d0c6e2f7a48d3a5e4c7b801f62d93", "shop_nl", "queued", "timed out"),
        Event(NOW - 7_200_000, "3f8e1c0b9d2a47f6a1b2c3d4e5f60718", "reviews", "rejected", "external_id is not valid"),
    ],
)


def svg() -> str:
    """The picture; no font is fetched from anywhere."""
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True, color_system="truecolor")
    console.print(drawn(LOOK, WIDTH))
    return FONTS.sub("", console.export_svg(title="invitations watch", unique_id="watch"))


if __name__ == "__main__":
    PICTURE.write_text(svg(), "utf-8")
