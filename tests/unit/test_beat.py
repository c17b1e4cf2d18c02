"""Beat while Redis is away."""

from collections.abc import Iterator

import pytest
import structlog
from redbeat.schedulers import RedBeatScheduler  # type: ignore[import-untyped]
from redis.exceptions import ConnectionError as RedisConnectionError

from config.celery_values import BEAT_LOOP_SECONDS
from worker.beat import InvitationScheduler
from worker.sign_of_life import SignOfLife


def test_it_tells_once_that_redis_is_away_and_once_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: Iterator[float | Exception] = iter([1.0, RedisConnectionError(), RedisConnectionError(), 1.0, 1.0])

    def tick(_: object) -> float:
        turn = next(turns)
        if isinstance(turn, Exception):
            raise turn
        return turn

    monkeypatch.setattr(RedBeatScheduler, "tick", tick)
    beat = InvitationScheduler.__new__(InvitationScheduler)
    beat.lock, beat._sign_of_life = object(), SignOfLife(None)
    with structlog.testing.capture_logs() as told:
        pauses = [beat.tick() for _ in range(5)]

    assert pauses == [1.0, BEAT_LOOP_SECONDS, BEAT_LOOP_SECONDS, 1.0, 1.0]
    assert [(line["event"], line["log_level"], line["loop"]) for line in told] == [
        ("redis_is_away", "error", "beat"),
        ("loop_goes_on", "info", "beat"),
    ]
