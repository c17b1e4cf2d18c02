"""Upkeep: erases what is finished and old enough, never what is not; forgets readers that are gone."""

from redis import Redis

from tasks.inbox import GROUP, InboxReader
from tasks.outcome import Accepted, Rejected
from tasks.upkeep import DAY_MS, drop_gone_readers, erase_old
from tests.property.desk import Desk, account
from worker.unreadable import INBOX


def test_what_is_finished_long_enough_is_erased_and_nothing_else(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    old, rejected = line.line_up("a", 2)
    line.deliver(*line.admit(), outcome=Accepted())
    line.redis.delete("invitations:unused")
    line.later(89 * DAY_MS)
    [fresh] = line.line_up("a", 1)
    line.deliver(*line.admit(), outcome=Rejected("no"))
    [waiting] = line.line_up("a", 1)
    assert erase_old(line.ledger, 90 * DAY_MS) == 0

    line.later(2 * DAY_MS)

    assert erase_old(line.ledger, 90 * DAY_MS) == 2
    assert [line.redis.exists(f"invitations:record:{one}") for one in (old, rejected, fresh, waiting)] == [0, 0, 1, 1]


def test_an_accepted_one_is_kept_from_the_day_it_leaves(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 1)
    line.deliver(*line.admit(), outcome=Accepted(scheduled_in_ms=120 * DAY_MS))

    line.later(200 * DAY_MS)
    assert erase_old(line.ledger, 90 * DAY_MS) == 0

    line.later(11 * DAY_MS)
    assert erase_old(line.ledger, 90 * DAY_MS) == 1


def test_readers_that_hold_something_or_were_here_today_stay(real_redis: Redis) -> None:
    assert drop_gone_readers(real_redis) == 0, "there is no inbox yet"
    InboxReader(real_redis, idle_ms=1_000)._create_group()
    real_redis.xgroup_createconsumer(INBOX, GROUP, "of-today")

    assert drop_gone_readers(real_redis) == 0
    assert drop_gone_readers(real_redis, silent_ms=-1) == 1
    assert real_redis.xinfo_consumers(INBOX, GROUP) == []


def test_a_silent_reader_that_holds_an_entry_is_not_forgotten(real_redis: Redis) -> None:
    InboxReader(real_redis, idle_ms=1_000)._create_group()
    real_redis.xadd(INBOX, {"job": "{}"})
    real_redis.xreadgroup(GROUP, "dead", {INBOX: ">"})

    assert drop_gone_readers(real_redis, silent_ms=-1) == 0
