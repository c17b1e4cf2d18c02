"""The ledger's own scripts on a real server, with a clock that a test sets: minutes pass in a second."""

from collections.abc import Sequence
from typing import Any

from redis import Redis

from tests.two_steps import TwoStepLedger
from worker.scripts import Scripts

READ_FROM_REDIS = """local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end"""
READ_FROM_THE_TEST = "local function now_ms() return tonumber(KEYS[1]) end"
EPOCH_MS = 1_800_000_000_000


class Clock:
    """Milliseconds since the test began."""

    def __init__(self) -> None:
        self.ms = 0.0


class _Script:
    def __init__(self, redis: Redis, text: str, clock: Clock) -> None:
        assert READ_FROM_REDIS in text, "prelude.lua reads the clock in another way than this test replaces"
        self._digest: Any = redis.script_load(text.replace(READ_FROM_REDIS, READ_FROM_THE_TEST))
        self._redis = redis
        self._clock = clock

    def __call__(self, args: Sequence[str | int], client: Any = None) -> Any:
        now = EPOCH_MS + int(self._clock.ms)
        return (client or self._redis).evalsha(self._digest, 1, now, *args)


class _Registry:
    """Stands where the client stands when `Scripts` registers its texts."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock

    def register_script(self, text: str) -> Any:
        return _Script(self._redis, text, self._clock)


class TimedLedger(TwoStepLedger):
    """The ledger, whose scripts read `clock`."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        registry = _Registry(redis, clock)
        super().__init__(redis, registry)
        self._scripts = Scripts(registry)  # type: ignore[arg-type]
