"""The gauges that come from Redis: of accounts that are in use alone, and looked at once for all workers."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.accounts import BaseAccount, WebwinkelkeurAccount
from config.celery_values import BEAT_LOCK
from tasks.outcome import Accepted, Throttled
from tests.property.desk import DAY_MS, Desk, account
from tests.support import free_port
from tests.unit.test_ledger_full import full
from worker.active import KEPT_MS
from worker.gauges import GAUGES, KEPT, Gauges, GaugesCollector, Told
from worker.ledger import Ledger

SECOND, HOUR = 1_000, 3_600_000
MANY = 150


def many(number: int = MANY) -> list[BaseAccount]:
    return [account(f"a{n}") for n in range(number)]


def listing(name: str) -> BaseAccount:
    fields = {"name": name, "provider": "webwinkelkeur", "shop_id": 1, "code": "c"}
    return WebwinkelkeurAccount.model_validate(fields)


def gauges(line: Desk, accounts: list[BaseAccount]) -> Gauges:
    return Gauges(line.ledger, {one.name: one for one in accounts})


def look(line: Desk, accounts: list[BaseAccount]) -> Told:
    """What is told now, whatever was seen before."""
    line.redis.delete(KEPT)
    return gauges(line, accounts).told()


def commands(redis: Redis) -> int:
    seen: dict[str, Any] = redis.info("commandstats")
    return sum(one["calls"] for one in seen.values())


@pytest.fixture
def line(real_redis: Redis) -> Desk:
    return Desk(real_redis, *many())


def test_of_many_accounts_those_in_use_are_told(line: Desk) -> None:
    line.line_up("a3", 2)
    line.line_up("a5", 1, delay_ms=DAY_MS)
    line.ledger.pause("a7", "the shop moves")

    told = look(line, many())

    assert told["waiting"] == {"a3": 2, "a5": 1, "a7": 0}
    assert told["gate_open"] == {"a3": 1, "a5": 1, "a7": 0}
    assert told["gate_paused"] == {"a3": 0, "a5": 0, "a7": 1}


def test_few_accounts_are_told_though_nothing_ever_was_lined_up(line: Desk) -> None:
    assert look(line, many(100))["waiting"] == {f"a{n}": 0 for n in range(100)}
    assert look(line, many(101))["waiting"] == {}


def test_who_is_not_configured_here_is_not_told(line: Desk) -> None:
    line.line_up("a140", 1)

    assert look(line, many(120))["waiting"] == {}


def test_a_look_costs_what_the_accounts_in_use_cost(real_redis: Redis) -> None:
    costs = []
    for number in (200, 2_000):
        real_redis.flushdb()
        line = Desk(real_redis, *many(number))
        line.line_up("a3", 2)
        look(line, many(number))
        real_redis.config_resetstat()
        look(line, many(number))
        costs.append(commands(real_redis))

    assert costs[0] == costs[1] < 40


def test_what_one_worker_saw_the_others_tell(line: Desk) -> None:
    line.line_up("a3", 2)
    first, second = gauges(line, many()), gauges(line, many())
    told = first.told()
    line.redis.persist(KEPT)
    line.redis.config_resetstat()

    assert second.told() == first.told() == told
    assert line.redis.info("commandstats").keys() == {"cmdstat_get", "cmdstat_config|resetstat"}


def test_what_a_worker_of_another_version_saw_is_told_without_what_it_does_not_know(line: Desk) -> None:
    line.redis.set(KEPT, '{"waiting": {"a3": 2}, "of a later version": {"a3": 1}}')

    told = list(GaugesCollector(gauges(line, many())).collect())

    assert [(one.name, one.labels, one.value) for family in told for one in family.samples] == [
        ("invitations_waiting", {"account": "a3"}, 2)
    ]


def test_what_was_seen_is_kept_the_longer_the_longer_it_took(line: Desk) -> None:
    look(line, many())

    assert 0 < line.redis.pttl(KEPT) <= 15_000


def test_who_is_idle_for_an_hour_is_told_no_more(line: Desk) -> None:
    line.line_up("a3", 1)
    line.deliver(*line.admit())
    line.later(KEPT_MS - 10 * SECOND)
    assert look(line, many())["waiting"] == {"a3": 0}

    line.later(20 * SECOND)

    assert look(line, many())["waiting"] == {"a3": 0}, "it is seen once more, and forgotten"
    assert look(line, many())["waiting"] == {}
    line.line_up("a3", 1)
    assert look(line, many())["waiting"] == {"a3": 1}


def test_who_waits_is_told_however_long(line: Desk) -> None:
    line.line_up("a3", 1, delay_ms=DAY_MS)
    line.ledger.pause("a7", "the shop moves")
    for _ in range(5):
        line.later(HOUR)
        look(line, many())

    told = look(line, many())

    assert told["waiting"] == {"a3": 1, "a7": 0}
    assert told["gate_paused"] == {"a3": 0, "a7": 1}


def test_an_account_whose_gate_a_call_beside_the_deliveries_shut_is_told(line: Desk) -> None:
    line.ledger.tell("a9", "a9", {"answer": "throttled", "reason": "slow down", "retry_ms": HOUR, "jitter": 0})

    assert look(line, many())["gate_open"] == {"a9": 0}


def test_what_a_worker_of_an_older_version_lined_up_is_told_after_a_start(line: Desk) -> None:
    line.line_up("a3", 1)
    line.redis.delete("invitations:active")

    line.configure(*many())

    assert look(line, many())["waiting"] == {"a3": 1}


def test_how_late_the_latest_is(line: Desk) -> None:
    line.line_up("a3", 1)
    line.deliver(*line.admit(), outcome=Throttled("slow down", HOUR))
    line.later(HOUR // 2)

    late = look(line, many())["oldest_due_seconds"]["a3"]

    assert 1_800 <= late < 1_830


def test_what_may_have_gone_out_and_was_not_looked_for(real_redis: Redis) -> None:
    accounts = [listing("shop"), account("portal")]
    line = Desk(real_redis, *accounts)
    line.line_up("shop", 1)
    line.answer(line.claim(*line.admit()), Accepted("ref"), expect=True)
    assert look(line, accounts)["retrieval_overdue_seconds"]["shop"] < 60

    line.later(2 * HOUR)

    overdue = look(line, accounts)["retrieval_overdue_seconds"]
    assert overdue.keys() == {"shop"}
    assert 7_200 <= overdue["shop"] < 7_260


def test_beat_is_known_by_its_lock_and_its_last_sign_is_kept(line: Desk) -> None:
    watching = gauges(line, many())
    assert watching.told()["beat_timestamp_seconds"] == {}

    line.redis.delete(KEPT)
    line.redis.set(BEAT_LOCK, "someone", px=9_000)
    seen = watching.told()["beat_timestamp_seconds"][""]
    line.redis.delete(BEAT_LOCK, KEPT)

    assert seen == pytest.approx(line.ledger.now() / 1000 - 1, abs=5)
    assert watching.told()["beat_timestamp_seconds"] == {"": seen}


def test_redis_memory_and_its_limit(line: Desk) -> None:
    told = look(line, many())
    assert told["redis_used_bytes"][""] > 100_000
    assert told["redis_max_bytes"] == {"": 0}

    with full(line.redis):
        assert look(line, many())["redis_max_bytes"] == {"": 1}


def test_a_redis_that_is_full_is_looked_at_and_forgets_no_account(line: Desk) -> None:
    line.line_up("a3", 1)
    line.later(2 * HOUR)

    with full(line.redis):
        assert [look(line, many())["waiting"] for _ in range(2)] == [{"a3": 1}] * 2
        assert line.redis.exists(KEPT) == 0


def test_prometheus_is_told_each_gauge_by_account(line: Desk) -> None:
    line.line_up("a3", 2)
    registry = CollectorRegistry()
    registry.register(GaugesCollector(gauges(line, many())))

    assert registry.get_sample_value("invitations_waiting", {"account": "a3"}) == 2
    assert registry.get_sample_value("invitations_waiting", {"account": "a4"}) is None
    assert registry.get_sample_value("invitations_redis_max_bytes") == 0
    assert {f"invitations_{name}" for name, _ in GAUGES} <= {family.name for family in registry.collect()}


def test_without_redis_nothing_is_told_and_nothing_raised() -> None:
    away = Redis(port=free_port(), decode_responses=True, retry=Retry(NoBackoff(), 0))

    assert list(GaugesCollector(Gauges(Ledger(away), {})).collect()) == []
