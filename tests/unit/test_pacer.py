"""The pacer sleeps until the next known time, and no longer than its longest sleep."""

from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from redis import Redis
from structlog.testing import capture_logs

from tests.property.desk import Desk, account
from worker.ending import ending
from worker.pacer import LONGEST_SLEEP_SECONDS, Pacer

NOTHING_FREE, FIVE_FREE = 0, 5


@pytest.fixture
def line(real_redis: Redis) -> Desk:
    return Desk(real_redis, account("a"))


def sleeps(line: Desk, free: int = FIVE_FREE) -> list[float]:
    """How long one turn means to wait for the bell, in seconds."""
    asked: list[float] = []
    threads: Any = SimpleNamespace(wait_for_free=lambda _: free, publish_events=lambda: None)
    settings: Any = SimpleNamespace(lease_seconds=60, health_file=None)
    bell: Any = SimpleNamespace(wait=asked.append, wait_until_due=lambda due, _: asked.append(due))
    with patch("worker.pacer.Bell", lambda _: bell):
        Pacer(threads, line.ledger, line.redis, settings).turn()
    return asked


def test_it_looks_again_when_the_next_invitation_is_due(line: Desk) -> None:
    line.line_up("a", 1, delay_ms=400)

    [seconds] = sleeps(line)

    assert 0 < seconds <= 0.4


def test_it_looks_again_soon_enough_where_nothing_is_due_for_long(line: Desk) -> None:
    line.line_up("a", 1, delay_ms=60_000)

    assert sleeps(line) == [LONGEST_SLEEP_SECONDS]


def test_it_looks_again_soon_enough_where_nothing_waits(line: Desk) -> None:
    assert sleeps(line) == [LONGEST_SLEEP_SECONDS]


def test_it_takes_nothing_without_a_free_thread(line: Desk) -> None:
    ids = line.line_up("a", 1)

    assert sleeps(line, NOTHING_FREE) == []
    assert line.line("a") == ids


def test_a_worker_that_is_to_end_takes_nothing(line: Desk) -> None:
    ids = line.line_up("a", 2)
    ending.set()
    try:
        assert sleeps(line) == []
    finally:
        ending.clear()

    assert line.line("a") == ids


def test_a_record_that_cannot_be_claimed_is_an_error_in_the_log(line: Desk) -> None:
    [broken] = line.line_up("a", 1)
    line.redis.hdel(f"invitations:record:{broken}", "expires_at")

    with capture_logs() as logs:
        sleeps(line)

    assert {"event": "record_cannot_be_claimed", "invitation": broken, "log_level": "error"} in logs
