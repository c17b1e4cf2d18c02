"""The look of `status` and `watch` on a terminal: everything at a glance, in 80 columns and in 120."""

import re
from html import unescape
from io import StringIO

import pytest
from rich.console import Console

from ops.cli.look import Look, drawn, summary
from ops.cli.pulse import Event
from tests import watch_picture
from worker.overview import FINISHED, AccountView

NOW = 1_782_907_200_000
NONE = dict.fromkeys(FINISHED, 0)
ID = "3f8e1c0b9d2a47f6a1b2c3d4e5f60718"


def view(gate: str = "open", until: int | None = None, reason: str | None = None, **more: int) -> AccountView:
    return AccountView(
        provider="webwinkelkeur",
        gate=gate,
        gate_until=until,
        gate_reason=reason,
        waiting=more.pop("waiting", 0),
        delivering=more.pop("delivering", 0),
        oldest_due_ms=more.pop("oldest", 0),
        limit="60 per 60 s",
        states={**NONE, **more},
    )


LOOK = Look(
    NOW,
    {
        "shop_nl": view(waiting=120, oldest=240_000, accepted=412, failed=3),
        "portal": view("closed", NOW + 42_000, "rate limited", waiting=5, delivering=2),
        "reviews": view("paused", NOW + 600_000, "credentials refused: invalid_client\x1b[2J", sent=80),
    },
    {"shop_nl": 57},
    {"portal": 7},
    [
        Event(NOW - 120_000, ID, "shop_nl", "rejected", "WebwinkelKeur said: the order is much too old for a review"),
        Event(NOW - 3_600_000, ID[::-1], "portal", "queued", "the provider answered 500"),
    ],
)


def lines(look: Look, width: int, height: int | None = None) -> list[str]:
    out = Console(file=StringIO(), width=width, height=height, color_system=None)
    out.print(drawn(look, width, height))
    assert isinstance(out.file, StringIO)
    return [line.rstrip() for line in out.file.getvalue().splitlines()]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_the_first_line_says_it_all() -> None:
    told = "3 accounts: 1 open, 1 closed, 1 paused; 125 waiting; oldest due 4 min"
    assert summary(LOOK).plain == told
    assert summary(Look(NOW, {"a": view()})).plain == "1 account: 1 open; 0 waiting; none is late"


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, lines(LOOK, width))) <= width


def test_in_80_columns_everything_that_is_asked_for_at_night_is_there() -> None:
    shown = lines(LOOK, 80)

    assert cells(shown[2]) == ["account", "gate", "waiting", "delivering", "per min", "429s", "limit"]
    assert [cells(line) for line in shown[4:7]] == [
        ["shop_nl", "open", "120", "0", "57", "0", "60 per 60 s"],
        ["portal", "closed 42 s", "5", "2", "0", "7", "60 per 60 s"],
        ["reviews", "paused", "0", "0", "0", "0", "60 per 60 s"],
    ]
    assert shown[7:] == [
        "",
        "portal closed: rate limited",
        "reviews paused: credentials refused: invalid_client\ufffd[2J; tried again in 10 min",
        "In all: 412 accepted, 80 sent, 3 failed",
        "",
        "Last failures",
        "2 min ago   shop_nl rejected: WebwinkelKeur said: the order is much too old for…",
        f"            {ID}",
        "1 h ago     portal to be tried again: the provider answered 500",
        f"            {ID[::-1]}",
    ]


def test_in_120_columns_there_is_room_for_the_provider_and_the_whole_reason() -> None:
    shown = lines(LOOK, 120)

    assert cells(shown[2])[:3] == ["account", "provider", "gate"]
    assert cells(shown[-1])[-1] == ID[::-1]


def test_in_few_lines_the_accounts_at_rest_are_left_out() -> None:
    many = {f"a{number:03}": view(waiting=number) for number in range(500)}
    look = Look(NOW, {**many, "shut": view("closed", NOW + 1, "rate limited")})

    shown = lines(look, 80, 24)

    assert len(shown) < 24
    rows = [cells(line)[0] for line in shown[4 : shown.index("", 4)]]
    assert rows == [*(f"a{number}" for number in range(500 - len(rows) + 1, 500)), "shut"]
    assert f"and {501 - len(rows)} more accounts: `invitations status` shows all" in shown


def test_where_the_gate_is_about_to_open_it_is_still_said_to_be_shut() -> None:
    assert "closed 1 s" in lines(Look(NOW, {"a": view("closed", NOW + 3, "")}), 80)[4]


def test_the_picture_in_the_readme_shows_what_there_is_to_see() -> None:
    picture = watch_picture.PICTURE.read_text("utf-8")
    texts = map(unescape, re.findall(r">([^<>]+)</text>", picture))

    shown = "".join("".join(lines(watch_picture.LOOK, watch_picture.WIDTH)).split())

    assert shown in "".join("".join(texts).split())
    assert "url(http" not in picture
