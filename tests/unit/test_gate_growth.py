"""What the ledger asks Redis for each delivery: the same however many accounts there are and however many wait."""

from collections import Counter

import pytest
from redis import Redis

from ops.bench.growth import cost
from tests.property.desk import DAY_MS, LEASE_MS, MANY, Desk, account

ROOM = 5
SOON = 500


def commands_of(redis: Redis, line: Desk, turns: int = 8) -> float:
    """The commands for each invitation that is admitted, claimed and settled, those inside the scripts included."""
    for _ in range(5):  # Who came due is called up once, a hundred at a look.
        line.deliver(*line.admit(ROOM))
        line.later(1)
    redis.config_resetstat()
    delivered = 0
    for _ in range(turns):
        _, admitted = line.ledger.admit(ROOM, LEASE_MS)
        line.deliver(*admitted)
        delivered += len(admitted)
    calls: int = sum(seen["calls"] for seen in redis.info("commandstats").values())
    assert delivered >= (turns - 1) * ROOM
    return calls / delivered


def busy(redis: Redis, accounts: int, waiting: int, *, shared: bool = False, delay_ms: int = 0) -> float:
    """With so many accounts, of which one is due and the others after `delay_ms`."""
    redis.flushdb()
    group = {"limit_group": "g", "concurrency": MANY} if shared else {}
    line = Desk(redis, *(account(f"a{number}", **group) for number in range(accounts)))
    for number in range(1, accounts):
        line.line_up(f"a{number}", 2, delay_ms=delay_ms)
    line.line_up("a0", waiting)
    return commands_of(redis, line)


def test_a_delivery_costs_the_same_however_many_wait(real_redis: Redis) -> None:
    assert busy(real_redis, 1, 5_000) == pytest.approx(busy(real_redis, 1, 100), rel=0.05)


@pytest.mark.parametrize("shared", [False, True], ids=["own gates", "one gate"])
@pytest.mark.parametrize("delay_ms", [0, DAY_MS], ids=["all due", "one due"])
def test_a_delivery_costs_the_same_however_many_accounts_there_are(
    real_redis: Redis, shared: bool, delay_ms: int
) -> None:
    few, many = (busy(real_redis, accounts, 100, shared=shared, delay_ms=delay_ms) for accounts in (40, 400))

    assert many == pytest.approx(few, rel=0.1)


def test_the_benchmark_counts_the_same_commands_with_few_waiting_and_with_many(real_redis: Redis) -> None:
    few, many = (cost(real_redis, waiting, 3, deliveries=60) for waiting in (200, 3_000))

    assert many.commands == pytest.approx(few.commands, rel=0.05)
    assert few.microseconds > 0
    assert few.bytes_waiting > 0


def test_paused_accounts_cost_a_look_each_and_then_nothing(real_redis: Redis) -> None:
    names = [f"a{number}" for number in range(300)]
    line = Desk(real_redis, *(account(name, limit_group="g", concurrency=MANY) for name in names))
    for name in names[1:]:
        line.line_up(name, 1)
        line.ledger.pause(name, "the shop moves")
    while line.admit() or line.wait_ms is not None:
        line.later(1)
    ids = line.line_up("a0", 100)

    assert commands_of(real_redis, line) < 80
    for name in names[1:]:
        line.ledger.resume(name)
    line.later(1)
    admitted = line.admit()
    assert len([one for one in admitted if one not in ids]) == len(names) - 1


def test_two_hundred_busy_accounts_are_served_alike(real_redis: Redis) -> None:
    """Jain's index of what passed, at every look from ten each on."""
    names = [f"a{number:03}" for number in range(200)]
    line = Desk(real_redis, *(account(name, concurrency=MANY) for name in names))
    for name in names:
        line.line_up(name, 30)
    passed, fairness = Counter(dict.fromkeys(names, 0)), []

    while passed.total() < 5_000:
        passed.update(one[:-4] for one in line.admit(40))
        fairness.append((passed.total(), passed.total() ** 2 / len(names) / sum(n**2 for n in passed.values())))

    assert min(jain for total, jain in fairness if total >= 10 * len(names)) >= 0.97


@pytest.mark.parametrize("shared", [False, True], ids=["own gate", "group"])
def test_the_pacer_knows_when_the_lease_of_a_dead_worker_ends(real_redis: Redis, shared: bool) -> None:
    group = {"limit_group": "g"} if shared else {}
    line = Desk(real_redis, *(account(f"a{number}", **group) for number in range(3)))
    line.line_up("a1", 1)
    held = line.admit()
    line.later(10_000)
    line.claim(held[0])

    line.later(LEASE_MS - 10_000)

    assert line.admit() == []
    assert line.wait_ms is not None
    assert 10_000 - SOON < line.wait_ms <= 10_000
    line.later(line.wait_ms)
    assert line.admit() == held


def test_what_a_worker_of_an_older_version_lined_up_or_let_pass_is_seen(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 1, delay_ms=DAY_MS)
    line.admit()
    fresh, passed = line.line_up("a", 2, delay_ms=2 * DAY_MS)
    now = line.ledger.now()
    # It looks whether the account takes turns, and not when; and notes no account as busy.
    real_redis.zadd("invitations:line:a", {fresh: now})
    real_redis.zrem("invitations:line:a", passed)
    real_redis.zadd("invitations:inflight:a", {passed: now + 1})
    real_redis.zadd("invitations:ready", {"a": now})
    line.later(2)

    admitted = line.admit()
    line.later(2)

    assert [*admitted, *line.admit()] == [fresh]
    assert passed in line.line("a"), "its lease ended"
