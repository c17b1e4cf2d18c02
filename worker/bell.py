"""What wakes a pacer: a list in Redis, onto which scripts push when something may pass sooner than was known."""

from contextlib import suppress
from threading import Timer

from redis import Redis
from redis.exceptions import RedisError

BELL = "invitations:bell"


class Bell:
    """Waits for the bell of all workers: one of them hears each ring."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def wait(self, seconds: float) -> None:
        """Returns when it rings, or about so many seconds later. Raises redis.RedisError where Redis is away."""
        self._redis.blpop([BELL], timeout=seconds)

    def wait_until_due(self, seconds: float, longest: float) -> None:
        """Returns when it rings, which it does so many seconds later at the latest; `longest`: where it could not be
        rung.

        By itself Redis ends a wait up to a tenth of a second late (its `hz`), which each window of a second would lose.
        """
        alarm = Timer(seconds, self._ring)
        alarm.daemon = True
        alarm.start()
        try:
            self.wait(longest)
        finally:
            alarm.cancel()

    def _ring(self) -> None:
        with suppress(RedisError):
            self._redis.lpush(BELL, 1)
