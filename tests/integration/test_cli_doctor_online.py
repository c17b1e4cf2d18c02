"""`invitations doctor --online`: each provider is asked for its account's credentials, and nobody is invited."""

from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from config.accounts_file import accounts
from ops.simulator import RunningSimulator
from tasks.decision import REFUSED_AFTER, gate_lesson
from tasks.outcome import CredentialsRefused
from tests.command_line import CommandLine
from tests.support import free_port
from worker.ledger import ledger

ACCOUNTS = """
[accounts.shop_nl]
provider = "webwinkelkeur"
shop_id = 1
code = "{credential}"
base_url = "{url}"
limit = "2/hour"

[accounts.profile]
provider = "trustprofile"
shop_id = 2
code = "{credential}"
base_url = "{url}"

[accounts.reviews]
provider = "feedbackcompany"
client_id = "canary-client"
client_secret = "{credential}"
base_url = "{url}"

[accounts.fixed]
provider = "feedbackcompany"
access_token = "{credential}"
base_url = "{url}"

[accounts.portal]
provider = "wemasy"
token = "{credential}"
base_url = "{url}"
"""
UNTOLD = {"fixed": "feedbackcompany", "portal": "wemasy"}


@pytest.fixture(name="simulator", scope="module")
def running_simulator() -> Iterator[RunningSimulator]:
    with RunningSimulator() as running:
        yield running


def ask(cli: CommandLine, url: str, credential: str = "canary-secret") -> dict[str, dict[str, str]]:
    """What is found of each account's credentials."""
    cli.write("accounts.toml", ACCOUNTS.format(url=url, credential=credential))
    ended = cli("doctor", "--online", "--json")
    assert "canary" not in ended.out + ended.err
    told: list[dict[str, Any]] = [one for one in ended.data["findings"] if one["check"] == "credentials"]
    return {one["found"].partition(":")[0]: one for one in told}


def levels(found: dict[str, dict[str, str]]) -> dict[str, str]:
    return {name: one["level"] for name, one in found.items()}


@pytest.mark.usefixtures("real_redis")
def test_credentials_that_work_are_known_by_a_call_that_invites_nobody(
    cli: CommandLine, simulator: RunningSimulator
) -> None:
    found = ask(cli, simulator.url)

    told = dict.fromkeys(("shop_nl", "profile", "reviews"), "ok")
    assert levels(found) == told | dict.fromkeys(UNTOLD, "unknown")
    assert found["shop_nl"]["found"] == "shop_nl: the provider takes them"
    assert found["reviews"]["found"] == "reviews: the provider takes them"
    counts = simulator.stats()["accounts"]
    assert sum(one["accepted"] + one["duplicates"] for one in counts.values()) == 0
    assert all("wemasy" not in name for name in counts)


def test_where_no_call_tells_the_last_delivery_does(
    cli: CommandLine, simulator: RunningSimulator, real_redis: Redis
) -> None:
    before = ask(cli, simulator.url)
    for name, provider in UNTOLD.items():
        told = f"{name}: {provider} has no call that tells and invites nobody; no delivery passed yet"
        assert before[name]["found"] == told
    real_redis.hset("invitations:gate:portal", "passed:portal", str(ledger().now() - 7_200_000))

    after = ask(cli, simulator.url)["portal"]

    assert after["found"].startswith(
        "portal: wemasy has no call that tells and invites nobody; a delivery of the workers passed "
    )


def test_where_no_call_tells_a_refusal_of_the_workers_counts_more_than_what_passed_before(
    cli: CommandLine, simulator: RunningSimulator, real_redis: Redis
) -> None:
    ask(cli, simulator.url)
    ledger().configure(accounts().values())
    real_redis.hset("invitations:gate:portal", "passed:portal", str(ledger().now()))
    for _ in range(REFUSED_AFTER):
        ledger().tell("portal", "portal", gate_lesson(CredentialsRefused("Wemasy does not know this token"), 0))

    found = ask(cli, simulator.url)["portal"]

    assert found["level"] == "problem"
    assert found["found"] == "portal: refused to the workers: Wemasy does not know this token"
    assert found["advice"].endswith("then: invitations resume portal")


@pytest.mark.usefixtures("real_redis")
def test_credentials_that_are_refused_are_a_problem_each(cli: CommandLine, simulator: RunningSimulator) -> None:
    found = ask(cli, simulator.url, credential="wrong-canary")

    assert levels(found) == {
        "shop_nl": "problem",
        "profile": "problem",
        "reviews": "problem",
        "fixed": "unknown",
        "portal": "unknown",
    }
    advice = found["shop_nl"]["advice"]
    assert advice.startswith("correct them (shop_id at ")
    assert advice.endswith("), restart the workers, then: invitations resume shop_nl")
    assert "canary" not in advice
    assert "check" in found["reviews"]["found"]


def test_a_token_that_is_kept_is_not_replaced(cli: CommandLine, simulator: RunningSimulator, real_redis: Redis) -> None:
    ask(cli, simulator.url)
    kept = real_redis.get("invitations:token:canary-client")
    assert kept

    assert ask(cli, simulator.url)["reviews"]["level"] == "ok"

    assert real_redis.get("invitations:token:canary-client") == kept


@pytest.mark.usefixtures("real_redis")
def test_a_paused_account_is_asked_all_the_same(cli: CommandLine, simulator: RunningSimulator) -> None:
    ask(cli, simulator.url)
    cli("pause", "shop_nl")

    found = ask(cli, simulator.url)["shop_nl"]

    assert (found["level"], found["found"]) == (
        "warning",
        "shop_nl: the provider takes them, but the account is paused",
    )
    assert found["advice"].endswith("then: invitations resume shop_nl")


@pytest.mark.usefixtures("real_redis")
def test_the_call_keeps_to_the_limit_and_is_not_made_where_it_would_break_it(
    cli: CommandLine, simulator: RunningSimulator, real_redis: Redis
) -> None:
    limit: Any = {"count": 2, "period": 3_600_000, "concurrency": 10}
    real_redis.hset("invitations:gate:shop_nl", mapping=limit)
    assert [ask(cli, simulator.url)["shop_nl"]["level"] for _ in range(3)] == ["ok", "ok", "warning"]

    found = ask(cli, simulator.url)["shop_nl"]["found"]

    assert found.startswith("shop_nl: not asked, as its gate is shut for 3")


def test_a_refusal_for_the_limit_shuts_the_gate_for_all(
    cli: CommandLine, simulator: RunningSimulator, real_redis: Redis
) -> None:
    simulator.control(limit="1/hour")
    try:
        found = [ask(cli, simulator.url)["profile"] for _ in range(2)]
    finally:
        simulator.control(limit=None)

    assert found[-1]["level"] == "warning"
    assert int(real_redis.hget("invitations:gate:profile", "closed_until") or 0) > ledger().now()


@pytest.mark.usefixtures("real_redis")
def test_a_provider_that_does_not_answer_is_a_problem(cli: CommandLine) -> None:
    found = ask(cli, f"http://127.0.0.1:{free_port()}")["shop_nl"]

    assert (found["level"], found["found"]) == ("problem", "shop_nl: no connection to the provider")
