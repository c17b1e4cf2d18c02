"""Upkeep: erases what is finished and old enough, never what is not; forgets readers that are gone."""

from typing import Any

import pytest
from redis import Redis

from config.celery_values import INBOX, INBOX_READERS, REPLIES
from tasks.inbox import InboxReader
from tasks.outcome import Accepted, Rejected
from tasks.replies import ReplySender
from tasks.upkeep import DAY_MS, EVENTS, drop_gone_readers, erase_old, upkeep
from tests.command_line import CommandLine
from tests.property.desk import Desk, account
from tests.support import everything_in
from tests.unit.lives import LIVES

UNFINISHED = ("queued", "delivering")


def later(line: Desk, ms: int) -> None:
    """Time passes for the ledger, and for the stream of events, whose entries have their time in their ids."""
    line.later(ms)
    entries: Any = line.redis.xrange(EVENTS)
    line.redis.delete(EVENTS)
    for entry, event in entries:
        at, _, place = entry.partition("-")
        line.redis.xadd(EVENTS, event, id=f"{int(at) - ms}-{place}")


@pytest.mark.parametrize("state", [state for state in LIVES if state not in UNFINISHED])
@pytest.mark.usefixtures("cli")
def test_when_its_time_is_over_nothing_of_a_customer_is_anywhere(real_redis: Redis, state: str) -> None:
    line = Desk(real_redis, account("a"))
    LIVES[state](line)
    later(line, 89 * DAY_MS)
    assert upkeep() == 0
    assert "needle-job" in everything_in(real_redis) or state == "suppressed"
    assert everything_in(real_redis).count("needle-order") > 1, "the record tells it, and the events"

    later(line, 2 * DAY_MS)

    assert upkeep() == 1
    assert "needle" not in everything_in(real_redis)


@pytest.mark.parametrize("state", UNFINISHED)
def test_what_is_not_finished_is_kept_however_old_it_is(cli: CommandLine, real_redis: Redis, state: str) -> None:
    cli.set("RETENTION_DAYS", "1")
    line = Desk(real_redis, account("a"))
    LIVES[state](line)

    later(line, 1_000 * DAY_MS)

    assert upkeep() == 0
    assert line.record("x").job == "needle-job"


def test_events_are_kept_as_long_as_invitations(cli: CommandLine, real_redis: Redis) -> None:
    cli.set("RETENTION_DAYS", "7")
    line = Desk(real_redis, account("a"))
    line.line_up("a", 1)
    later(line, 6 * DAY_MS)
    line.line_up("a", 1)

    assert (upkeep(), real_redis.xlen(EVENTS)) == (0, 2)
    later(line, DAY_MS + 60_000)

    assert upkeep() == 0
    entries: Any = real_redis.xrange(EVENTS)
    assert [event["id"] for _, event in entries] == ["a0001"]


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
    real_redis.xgroup_createconsumer(INBOX, INBOX_READERS, "of-today")

    assert drop_gone_readers(real_redis) == 0
    assert drop_gone_readers(real_redis, silent_ms=-1) == 1
    assert real_redis.xinfo_consumers(INBOX, INBOX_READERS) == []


def test_readers_of_the_replies_are_forgotten_too(real_redis: Redis) -> None:
    ReplySender(real_redis, idle_ms=1_000)._create_group()
    real_redis.xgroup_createconsumer(REPLIES, INBOX_READERS, "gone")

    assert drop_gone_readers(real_redis, REPLIES, silent_ms=-1) == 1


def test_a_silent_reader_that_holds_an_entry_is_not_forgotten(real_redis: Redis) -> None:
    InboxReader(real_redis, idle_ms=1_000)._create_group()
    real_redis.xadd(INBOX, {"job": "{}"})
    real_redis.xreadgroup(INBOX_READERS, "dead", {INBOX: ">"})

    assert drop_gone_readers(real_redis, silent_ms=-1) == 0
