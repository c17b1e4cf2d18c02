"""What `invitations doctor` says of accounts and their gates: paused, shut, slow, or not configured."""

import re
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.command_line import CommandLine
from tests.integration.examined import durable, findings, let_a_worker_read
from tests.integration.steps import send
from worker.ledger import ledger

redis = durable


@pytest.mark.usefixtures("redis")
def test_an_account_that_a_person_paused_is_told_with_the_reason(cli: CommandLine) -> None:
    cli("pause", "portal", "--reason", "wrong template")

    found = findings(cli)["accounts"]

    assert (found["level"], found["found"]) == ("warning", "portal was paused by a person, 0 wait: wrong template")
    assert found["advice"] == "when the reason is over: invitations resume portal"


def test_an_account_that_its_provider_paused_is_told_with_the_cause(cli: CommandLine, redis: Redis) -> None:
    redis.hset("invitations:pause:portal", mapping={"reason": "Wemasy does not know this token", "by": "provider"})

    found = findings(cli)["accounts"]

    assert (found["level"], found["found"]) == ("warning", "portal is paused, 0 wait: Wemasy does not know this token")
    assert re.fullmatch(
        r"mend the cause \(its credentials: token at \S+\.toml:\d+\); if that changed the accounts file or a secret,"
        r" restart the workers, which read both at their start; then: invitations resume portal",
        found["advice"],
    )


@pytest.mark.usefixtures("redis")
def test_a_secret_that_another_place_overrules_is_told_with_that_place(
    cli: CommandLine, redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = "INVITATIONS_ACCOUNTS__PORTAL__TOKEN"
    (tmp_path / variable).write_text("mended-canary")
    monkeypatch.setenv("INVITATIONS_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv(variable, "wrong-canary")
    redis.hset("invitations:pause:portal", mapping={"reason": "Wemasy does not know this token", "by": "provider"})

    advice = findings(cli)["accounts"]["advice"]

    assert f"its credentials: token at {variable} (environment, which goes before secrets folder)" in advice
    assert "canary" not in advice


@pytest.mark.usefixtures("redis")
def test_an_account_that_is_paused_with_work_that_waits_is_a_problem(cli: CommandLine) -> None:
    send(cli, "1", "portal")
    cli("pause", "portal", "--reason", "wrong template")

    found = findings(cli, code=1)["accounts"]

    assert (found["level"], found["found"]) == ("problem", "portal was paused by a person, 1 wait: wrong template")


@pytest.mark.parametrize(("overdue_ms", "level", "code"), [(299_000, "warning", 0), (301_000, "problem", 1)])
def test_an_outage_that_keeps_work_waiting_is_told(
    cli: CommandLine, redis: Redis, overdue_ms: int, level: str, code: int
) -> None:
    let_a_worker_read(redis)
    invitation = send(cli, "1", "portal")
    now = ledger().now()
    redis.zadd("invitations:line:portal", {invitation: now - overdue_ms})
    closed: Any = {"closed_until": now + 60_000, "closed_why": "unavailable: HTTP 503"}
    redis.hset("invitations:gate:portal", mapping=closed)

    found = findings(cli, code=code)["accounts"]

    assert found["level"] == level
    assert re.fullmatch(r"portal is unavailable: HTTP 503; 1 wait, the oldest \d+ s overdue", found["found"])
    assert "invitations resume portal" in found["advice"]


@pytest.mark.parametrize(("count", "told"), [("10", True), ("6000", False)])
def test_work_that_waits_long_for_what_refusals_taught_is_told(
    cli: CommandLine, redis: Redis, count: str, told: bool
) -> None:
    let_a_worker_read(redis)
    for number in range(200):
        redis.zadd("invitations:line:portal", {f"i{number}": ledger().now() - 1_000})
    redis.hset("invitations:gate:portal", mapping={"taught_count": count, "taught_period": "36181"})

    found = findings(cli).get("accounts")

    if not told:
        assert found is None
    else:
        assert found
        assert found["found"] == ("portal: 200 wait, and at 10 per 36.181 s, which refusals taught, they take 0.2 h")
        assert found["advice"].startswith("if the provider allows more, write that limit into the accounts file")


def test_a_gate_that_a_limit_closed_is_as_it_should_be(cli: CommandLine, redis: Redis) -> None:
    let_a_worker_read(redis)
    invitation = send(cli, "1", "portal")
    now = ledger().now()
    redis.zadd("invitations:line:portal", {invitation: now - 400_000})
    redis.hset("invitations:gate:portal", mapping={"closed_until": now + 60_000, "closed_why": "rate limited"})

    assert "accounts" not in findings(cli)


@pytest.mark.usefixtures("redis")
def test_invitations_of_an_account_that_is_gone_are_a_problem(cli: CommandLine) -> None:
    send(cli, "1")
    cli.write("accounts.toml", '[accounts.portal]\nprovider = "wemasy"\ntoken = "t"\n')

    found = findings(cli, code=1)["accounts"]

    assert found["found"] == "shop_nl is not configured, and 1 invitations wait for it"


@pytest.mark.usefixtures("redis")
def test_every_fault_of_the_accounts_is_a_problem_and_redis_is_looked_at_all_the_same(
    cli: CommandLine,
) -> None:
    cli.write("accounts.toml", '[accounts.portal]\nprovider = "wemasy"\ntoken = ""\n')

    found = findings(cli, code=1)

    assert found["configuration"]["level"] == "problem"
    assert "accounts.portal.token" in found["configuration"]["found"]
    assert found["redis"]["level"] == "ok"
