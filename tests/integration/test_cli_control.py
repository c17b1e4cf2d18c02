"""`invitations pause`, `resume`, `replay` and `cancel`: what changes, and what is said where nothing does."""

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from redis import Redis

from ops.cli.replay import CANCELLED
from tests.command_line import ROOT, CommandLine
from tests.integration.steps import claim, send, settle
from worker.ledger import ledger
from worker.records import PAGE, Records


def state(cli: CommandLine, invitation: str) -> str:
    return str(cli("show", invitation, "--json").data["state"])


def gate(cli: CommandLine, account: str) -> tuple[str, str | None]:
    told = cli("status", "--json").data["accounts"][account]
    return told["gate"], told["gate_reason"]


def test_a_paused_account_stops_until_it_is_resumed(cli: CommandLine) -> None:
    paused = cli("pause", "shop_nl", "--reason", "wrong template")
    assert (paused.code, paused.out) == (
        0,
        "shop_nl is paused; `invitations resume shop_nl` sets it going.\n",
    )
    assert gate(cli, "shop_nl") == ("paused", "wrong template")

    resumed, again = cli("resume", "shop_nl"), cli("resume", "shop_nl")

    assert (resumed.code, resumed.out) == (0, "shop_nl goes on.\n")
    assert (again.code, again.out) == (0, "shop_nl was not paused.\n")
    assert gate(cli, "shop_nl") == ("open", None)


def test_what_was_cancelled_by_mistake_is_sent_after_all_as_replay_says(cli: CommandLine) -> None:
    cancelled = send(cli, "1")
    cli("cancel", cancelled)

    ended = cli("replay", cancelled)
    job = cli("show", cancelled, "--job").data
    again = cli("send", cli.write("job.json", json.dumps({**job, "idempotency_key": "after all"})), "--json").data

    assert (ended.code, ended.out) == (1, "0 replayed, 1 not\n")
    assert ended.err.splitlines() == [CANCELLED, f"{cancelled} was not replayed: it is cancelled"]
    assert (again["state"], again["created"], again["id"] != cancelled) == ("queued", True, True)
    assert state(cli, cancelled) == "cancelled"


def test_several_accounts_are_paused_and_resumed_or_none_where_one_is_not_known(cli: CommandLine) -> None:
    paused = cli("pause", "shop_nl", "portal")

    assert (paused.code, paused.out.count("is paused; ")) == (0, 2)
    assert [gate(cli, name)[0] for name in ("shop_nl", "portal")] == ["paused", "paused"]
    assert cli("resume", "shop_nl", "elsewhere").code == 2
    assert gate(cli, "shop_nl")[0] == "paused"
    assert cli("resume", "shop_nl", "portal").out == "shop_nl goes on.\nportal goes on.\n"
    assert [gate(cli, name)[0] for name in ("shop_nl", "portal")] == ["open", "open"]


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_an_account_that_does_not_exist_is_code_2_and_names_those_that_do(
    cli: CommandLine, real_redis: Redis, command: str
) -> None:
    ended = cli(command, "shop\x1b_de")

    assert (ended.code, ended.out) == (2, "")
    assert "ACCOUNT: no account is named 'shop\ufffd_de'; there are: portal, reviews, shop_nl" in ended.err
    assert "shop_nl; did you mean shop_nl?" in cli(command, "shop_n").err
    assert real_redis.keys("invitations:pause:*") == []


def test_replay_by_id_starts_afresh_and_keeps_the_history(cli: CommandLine) -> None:
    invitation = send(cli, "1")
    settle(invitation, state="failed", reason="timed out", counts=True)

    ended = cli("replay", invitation, "--json")

    assert (ended.code, ended.data) == (0, {"replayed": 1, "unchanged": {}})
    shown = cli("show", invitation, "--json").data
    assert (shown["state"], shown["attempts"]) == ("queued", 0)
    assert [change["state"] for change in shown["history"]] == ["queued", "delivering", "failed", "queued"]


@pytest.mark.parametrize(("command", "word"), [("replay", "replayed"), ("cancel", "cancelled")])
def test_an_id_that_cannot_be_changed_is_code_1_and_says_why(cli: CommandLine, command: str, word: str) -> None:
    held = send(cli, "1")
    claim(held)

    ended = cli(command, "0000", held)

    assert (ended.code, ended.out) == (1, f"0 {word}, 2 not\n")
    assert ended.err.splitlines() == [
        f"0000 was not {word}: no invitation has this id",
        f"{held} was not {word}: it is delivering",
    ]
    assert state(cli, held) == "delivering"


def test_replay_takes_all_of_an_account_or_of_a_state(cli: CommandLine) -> None:
    ids = {}
    for account in ("shop_nl", "portal"):
        for ended_as in ("failed", "rejected", "cancelled"):
            ids[account, ended_as] = send(cli, ended_as, account)
            settle(ids[account, ended_as], state=ended_as)

    by_both = cli("replay", "--account", "shop_nl", "--state", "failed", "-y")
    by_state = cli("replay", "--state", "failed", "-y")
    by_account = cli("replay", "--account", "portal", "-y", "--json")

    assert (by_both.code, by_both.out) == (0, "1 replayed\n")
    assert (by_state.code, by_state.out) == (0, "1 replayed\n")
    assert (by_account.code, by_account.data) == (0, {"replayed": 1, "unchanged": {}})
    assert {key: state(cli, invitation) for key, invitation in ids.items()} == {
        ("shop_nl", "failed"): "queued",
        ("shop_nl", "rejected"): "rejected",
        ("shop_nl", "cancelled"): "cancelled",
        ("portal", "failed"): "queued",
        ("portal", "rejected"): "queued",
        ("portal", "cancelled"): "cancelled",
    }


def test_replay_takes_what_ended_in_a_time(cli: CommandLine, real_redis: Redis) -> None:
    now = ledger().now()
    ids = {hours: send(cli, f"{hours} hours ago") for hours in (1, 2, 3, 4)}
    for hours, invitation in ids.items():
        settle(invitation, state="failed")
        real_redis.zadd("invitations:state:shop_nl:failed", {invitation: now - hours * 3_600_000})
    other = send(cli, "other", "portal")
    settle(other, state="rejected")
    four_hours_ago = datetime.fromtimestamp(now / 1000 - 4 * 3600, UTC).isoformat()

    by_age = cli("replay", "--since", "210m", "--before", "150m", "--yes")
    by_date = cli("replay", "--since", four_hours_ago, "--before", "150m", "--state", "failed", "--yes")
    of_another = cli("replay", "--since", "90m", "--account", "portal", "--yes")
    long_ago = cli("replay", "--before", "2026-01-01", "--yes")

    assert [ended.out for ended in (by_age, by_date, of_another, long_ago)] == [
        "1 replayed\n",
        "1 replayed\n",
        "1 replayed\n",
        "0 replayed\n",
    ]
    assert {hours: state(cli, invitation) for hours, invitation in ids.items()} == {
        1: "failed",
        2: "failed",
        3: "queued",
        4: "queued",
    }
    assert state(cli, other) == "queued"


@pytest.mark.parametrize("option", ["--since", "--before"])
def test_a_time_that_is_none_changes_nothing_and_says_what_one_looks_like(cli: CommandLine, option: str) -> None:
    invitation = send(cli, "1")
    settle(invitation, state="failed")

    ended = cli("replay", option, "yesterday", "--yes")

    assert (ended.code, ended.out) == (2, "")
    assert f'Invalid value for {option}: expected a time such as "2026-07-01", "2026-07-01 12:00" (UTC)' in ended.err
    assert state(cli, invitation) == "failed"


def test_replaying_many_starts_with_the_one_that_ended_first(cli: CommandLine, real_redis: Redis) -> None:
    ids = [f"{number:032x}" for number in range(PAGE + 2)]
    real_redis.zadd("invitations:state:shop_nl:failed", {one: at for at, one in enumerate(ids)})

    assert list(Records(real_redis).ended("shop_nl", "failed")) == ids
    assert list(Records(real_redis).ended("shop_nl", "failed", 1, PAGE + 1)) == ids[1:-1]
    assert list(Records(real_redis).ended("shop_nl", "failed", PAGE + 2)) == []


def test_with_nothing_to_replay_nothing_fails(cli: CommandLine) -> None:
    ended = cli("replay", "--account", "shop_nl", "--yes")

    assert (ended.code, ended.out) == (0, "0 replayed\n")


def test_cancel_by_id_keeps_the_reason(cli: CommandLine) -> None:
    invitation = send(cli, "1")

    ended = cli("cancel", invitation, "--reason", "order returned")

    assert (ended.code, ended.out) == (0, "1 cancelled\n")
    shown = cli("show", invitation, "--json").data
    assert (shown["state"], shown["reason"]) == ("cancelled", "order returned")


def test_no_address_in_a_reason_is_kept(cli: CommandLine) -> None:
    invitation = send(cli, "1")

    cli("cancel", invitation, "--reason", "canary.jane@example.com asked for it")

    assert cli("show", invitation, "--json").data["reason"] == "(address) asked for it"


def test_cancel_of_an_account_takes_all_that_wait_and_nothing_else(cli: CommandLine, real_redis: Redis) -> None:
    held = send(cli, "held")
    claim(held)
    waiting = [send(cli, f"{number}") for number in range(30)]
    other = send(cli, "other", "portal")
    # Ten calls at once: some of those that wait are announced, the others stay in line.
    claim(waiting[0])

    ended = cli("cancel", "--account", "shop_nl", "--reason", "wrong batch", "--yes", "--json")

    assert ended.code == 0
    assert ended.data == {"cancelled": 29, "unchanged": {held: "delivering", waiting[0]: "delivering"}}
    assert Records(real_redis).count("shop_nl", "cancelled") == 29
    assert [state(cli, each) for each in (held, waiting[0], other)] == ["delivering", "delivering", "queued"]


def test_cancel_of_an_account_since_a_time_takes_what_came_in_then(cli: CommandLine, real_redis: Redis) -> None:
    before, wrong = [send(cli, f"before {number}") for number in range(2)], [send(cli, f"wrong {n}") for n in range(3)]
    for invitation in before:
        real_redis.hset(f"invitations:record:{invitation}", "created_at", ledger().now() - 2 * 3_600_000)

    ended = cli("cancel", "--account", "shop_nl", "--since", "1h", "--yes", "--json")
    with_an_id = cli("cancel", before[0], "--since", "1h")

    assert (ended.code, ended.data) == (0, {"cancelled": 3, "unchanged": {}})
    assert (with_an_id.code, with_an_id.out) == (2, "")
    assert "expected --since with --account, not with ids" in with_an_id.err
    assert [state(cli, invitation) for invitation in (*before, *wrong)] == ["queued"] * 2 + ["cancelled"] * 3


def test_what_is_left_of_an_account_that_is_gone_can_be_cancelled(cli: CommandLine) -> None:
    invitation = send(cli, "1")
    cli.write("accounts.toml", '[accounts.portal]\nprovider = "wemasy"\ntoken = "t"\n')
    cli.set("LEASE_SECONDS", "60")

    assert cli("cancel", "--account", "shop_nl", "--yes").out == "1 cancelled\n"
    assert state(cli, invitation) == "cancelled"
    assert cli("cancel", "--account", "shop_de").code == 2


@pytest.mark.parametrize(("answer", "code", "becomes"), [("n\n", 1, "queued"), ("y\n", 0, "cancelled")])
def test_on_a_terminal_many_are_cancelled_only_after_a_yes(
    cli: CommandLine, answer: str, code: int, becomes: str
) -> None:
    invitation = send(cli, "1")

    ended, shown = cli.on_terminal("cancel", "--account", "shop_nl", answer=answer)

    assert "Cancel 1 invitations? [y/N]: " in shown
    assert (ended, state(cli, invitation)) == (code, becomes)


def test_yes_asks_nothing(cli: CommandLine) -> None:
    settle(send(cli, "1"), state="failed")

    ended, shown = cli.on_terminal("replay", "--state", "failed", "--yes")

    assert ended == 0
    assert "y/N" not in shown
    assert shown.endswith("1 replayed\r\n")


@pytest.mark.parametrize(
    ("command", "ended_as"),
    [
        (["cancel", "--account", "shop_nl"], "queued"),
        (["replay", "--account", "shop_nl"], "failed"),
        (["replay", "--state", "failed"], "failed"),
    ],
)
def test_without_a_terminal_many_are_changed_only_with_yes(cli: CommandLine, command: list[str], ended_as: str) -> None:
    invitation = send(cli, "1")
    if ended_as == "failed":
        settle(invitation, state="failed")

    ended = cli.process(*command)

    assert (ended.code, ended.out) == (2, "")
    assert f"to {command[0]} 1 add --yes" in ended.err
    assert state(cli, invitation) == ended_as


def test_a_second_pause_without_a_reason_keeps_the_first(cli: CommandLine) -> None:
    cli("pause", "shop_nl", "--reason", "wrong template")

    again = cli("pause", "shop_nl")

    assert (again.code, again.out) == (0, "shop_nl is paused already: wrong template\n")
    assert gate(cli, "shop_nl") == ("paused", "wrong template")
    assert cli("pause", "shop_nl", "--reason", "still wrong").code == 0
    assert gate(cli, "shop_nl") == ("paused", "still wrong")


def test_a_resume_after_refused_credentials_says_what_a_changed_file_needs(cli: CommandLine, real_redis: Redis) -> None:
    real_redis.hset("invitations:pause:shop_nl", mapping={"reason": "refused", "by": "provider", "at": 1})

    ended = cli("resume", "shop_nl")

    assert ended.out.splitlines() == [
        "shop_nl goes on.",
        "Workers read accounts and secrets when they start; if you changed one, restart them, then resume.",
    ]


def test_simulate_listens_until_it_is_interrupted() -> None:
    command = [
        sys.executable,
        "-m",
        "ops.cli",
        "simulate",
        "--port",
        "0",
        "--latency",
        "5ms",
        "--limit",
        "60/minute",
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        line = running.stdout.readline()
        running.send_signal(signal.SIGINT)
        rest, errors = running.communicate(timeout=20)

    assert line.startswith("Provider simulator listens on http://127.0.0.1:")
    assert (running.returncode, rest, errors) == (0, "", "")


def test_simulate_on_a_port_in_use_is_code_1_and_says_what_to_do(cli: CommandLine, server: str) -> None:
    port = server.rpartition(":")[2].partition("/")[0]

    ended = cli.process("simulate", "--port", port)

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"The simulator cannot listen on 127.0.0.1:{port}: ")
    assert ended.err.endswith("or stop what uses this one.\n")
