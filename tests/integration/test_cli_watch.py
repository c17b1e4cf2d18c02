"""`invitations watch` and `status` on a terminal, over a real server."""

import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from fcntl import ioctl
from pty import openpty
from struct import pack
from termios import TIOCSWINSZ

import pytest

from ops.cli import pulse as pulses
from ops.cli.pulse import Pulse
from tasks.outcome import Throttled
from tasks.providers.base import Reply
from tasks.providers.meaning import meaning
from tests.command_line import ROOT, CommandLine, read_terminal
from tests.integration.steps import send, settle
from worker.connection import redis
from worker.ledger import ledger

TOO_MANY = "the provider answered 429: too many calls"
LEAVES_ITS_SCREEN = "\x1b[?1049l"
STYLE = re.compile(r"\x1b\[[0-9;]*m")


def looked(*accounts: str) -> tuple[Pulse, int]:
    pulse, now = Pulse(redis()), ledger().now()
    pulse.look(now, accounts)
    return pulse, now


def test_the_pace_of_the_last_minute_is_told_by_account(cli: CommandLine) -> None:
    for order in ("1", "2", "3"):
        settle(send(cli, order), state="accepted")
    settle(send(cli, "4", "portal"), state="queued", reason=TOO_MANY, throttled=True)

    pulse, now = looked("shop_nl", "portal")

    assert pulse.accepted_a_minute(now) == {"shop_nl": 3}
    assert pulse.rate_limited() == {"portal": 1}
    assert pulse.failures() == []


def test_what_happened_more_than_a_minute_ago_counts_no_longer(cli: CommandLine) -> None:
    settle(send(cli, "1"), state="accepted")
    pulse, now = looked("shop_nl")

    pulse.look(now + pulses.WINDOW_MS + 1_000, ["shop_nl"])

    assert pulse.accepted_a_minute(now + pulses.WINDOW_MS + 1_000) == {}


def test_of_more_events_than_one_look_reads_the_pace_is_that_of_the_last(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulses, "MOST", 4)
    now = ledger().now()
    for number in range(12):
        at = now - 40_000 + 2_000 * number
        event = {"id": str(number), "account": "shop_nl", "order": "", "state": "accepted", "reason": "", "at": at}
        redis().xadd("invitations:events", event, id=f"{at}-0")  # type: ignore[arg-type]

    pulse = Pulse(redis())
    pulse.look(now, ["shop_nl"])

    assert pulse.accepted_a_minute(now) == {"shop_nl": round(4 * 60_000 / (now - (now - 40_000 + 2_000 * 8)))}


def test_the_last_failures_are_told_from_look_to_look(cli: CommandLine) -> None:
    lost, tried, cured = send(cli, "1"), send(cli, "2"), send(cli, "3")
    settle(lost, state="rejected", reason="too old")
    redis().delete("invitations:events")
    pulse, now = looked("shop_nl", "portal")
    assert [(one.id, one.state, one.reason) for one in pulse.failures()] == [(lost, "rejected", "too old")]

    settle(tried, state="queued", reason="timed out", counts=True, wait_ms=60_000)
    settle(cured, state="accepted")
    pulse.look(now + 1, ["shop_nl", "portal"])

    assert [(one.id, one.state) for one in pulse.failures()] == [(tried, "queued"), (lost, "rejected")]


@pytest.mark.parametrize(("status", "headers"), [(429, {}), (503, {"Retry-After": "5"})])
def test_a_call_that_was_refused_for_the_limit_is_known_by_its_reason(status: int, headers: dict[str, str]) -> None:
    outcome = meaning(Reply(status, headers=headers, body=b"", data=None), lambda reply: None, datetime.now(UTC))

    assert isinstance(outcome, Throttled)
    assert outcome.reason.startswith(pulses.RATE_LIMITED)


def test_status_on_a_terminal_begins_with_all_in_one_line(cli: CommandLine) -> None:
    settle(send(cli, "1"), state="failed", reason="gave up")
    cli("pause", "portal")

    code, shown = cli.on_terminal("status", NO_COLOR="1")

    shown_lines = [line.rstrip() for line in STYLE.sub("", shown).splitlines()]
    assert code == 0
    assert shown_lines[0] == "3 accounts: 2 open, 1 paused; 0 waiting; none is late"
    assert "portal paused: paused by hand" in shown_lines
    assert "In all: 1 failed" in shown_lines
    assert any("shop_nl failed: gave up" in line for line in shown_lines)


def test_watch_fits_the_window_as_it_changes_and_leaves_the_last_look(cli: CommandLine) -> None:
    send(cli, "1")
    ours, theirs = openpty()
    ioctl(ours, TIOCSWINSZ, pack("HHHH", 24, 80, 0, 0))
    variables = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    with subprocess.Popen(
        [sys.executable, "-m", "ops.cli", "watch"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**variables, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "NO_COLOR": "1"},
    ) as running:
        os.close(theirs)
        try:
            narrow = read_terminal(ours, b"reviews").decode()
            ioctl(ours, TIOCSWINSZ, pack("HHHH", 24, 120, 0, 0))
            running.send_signal(signal.SIGWINCH)
            wide = read_terminal(ours, b"webwinkelkeur").decode()
            running.send_signal(signal.SIGINT)
            rest = read_terminal(ours).decode()
        except BaseException:
            running.kill()
            raise
    os.close(ours)

    left = rest.partition(LEAVES_ITS_SCREEN)[2]
    assert running.returncode == 0
    assert "webwinkelkeur" not in narrow
    assert "provider" in wide
    assert "3 accounts: 3 open; 1 waiting" in left
    assert "webwinkelkeur" in left


def test_watch_tells_that_redis_is_away_and_looks_again(cli: CommandLine) -> None:
    cli.take_redis_away()

    code, shown = cli.on_terminal("watch", "--for", "1s")

    assert code == 0
    assert "Redis does not answer" in shown
    assert "Traceback" not in shown
