"""What is told of an error that ends a task."""

import logging

import pytest
from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError

from worker.masking import MaskedTask

SECRET = "jane@example.com"


@pytest.mark.parametrize(
    ("error", "line", "level"),
    [
        (RedisConnectionError(SECRET), "raised expected: RedisAwayError('ConnectionError')", logging.INFO),
        (OperationalError(SECRET), "raised expected: RedisAwayError('OperationalError')", logging.INFO),
        (KeyError(SECRET), "raised unexpected: UnforeseenError('KeyError')", logging.ERROR),
    ],
)
def test_an_error_is_told_by_its_type_and_that_redis_is_away_in_one_line(
    error: Exception, line: str, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    def stumble() -> None:
        raise error

    # Not shared: other apps of this process would have it as well.
    task = Celery(set_as_current=False, task_cls=MaskedTask).task(shared=False)(stumble)
    with caplog.at_level(logging.INFO, "celery.app.trace"):
        task.apply()

    (told,) = caplog.records
    assert (told.levelno, line in told.getMessage()) == (level, True)
    assert bool(told.exc_info) == (level == logging.ERROR)
    assert SECRET not in caplog.text
