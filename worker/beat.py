"""Beat's scheduler: RedBeat (schedule and lock in Redis), with the schedule made from the accounts."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import structlog
from celery import Celery
from redbeat.schedulers import RedBeatScheduler, acquire_distributed_beat_lock  # type: ignore[import-untyped]
from redis.exceptions import LockError, RedisError

from config.accounts_file import accounts
from config.celery_values import BEAT_LOOP_SECONDS, beat_values
from config.errors import ConfigurationError
from config.schedule import beat_schedule
from config.settings import PREFIX, settings
from worker.sign_of_life import SignOfLife

log = structlog.get_logger()


class InvitationScheduler(RedBeatScheduler):  # type: ignore[misc]
    """Two beats are safe: one holds the lock, the other waits for it. A Redis that is away ends neither."""

    lock: Any = None
    _away = False

    def __init__(self, app: Celery, **options: Any) -> None:
        self._sign_of_life = SignOfLife(settings().health_file)
        app.conf.update(beat_values(settings()))
        with _signals_held():
            super().__init__(app, **options)

    def setup_schedule(self) -> None:
        try:
            schedule = beat_schedule(settings(), accounts().values())
        except ConfigurationError as error:
            raise SystemExit(str(error)) from None
        self.app.conf.beat_schedule = schedule
        try:
            super().setup_schedule()
        except RedisError as error:
            hint = f"check {PREFIX}REDIS_URL and that the server runs"
            raise SystemExit(f"Redis does not answer ({type(error).__name__}): {hint}") from None
        log.info("beat_starts", **{f"{name}_every": str(entry["schedule"]) for name, entry in schedule.items()})

    def tick(self, *args: Any, **options: Any) -> float:
        """Starts what is due, while it holds the lock. Returns the seconds until its next turn."""
        try:
            if self.lock is None:
                acquire_distributed_beat_lock(sender=SimpleNamespace(scheduler=self))
            pause = float(super().tick(*args, **options))
        except LockError:
            log.warning("beat_lost_its_lock")
            self.lock = None
        except RedisError as error:
            if not self._away:
                log.error("redis_is_away", loop="beat", error=type(error).__name__)
            self._away = True
        else:
            if self._away:
                log.info("loop_goes_on", loop="beat")
            self._away = False
            self._sign_of_life.give()
            return pause
        return BEAT_LOOP_SECONDS

    def close(self) -> None:
        try:
            super().close()
        except RedisError as error:
            log.error("beat_kept_its_lock", error=type(error).__name__)


@contextmanager
def _signals_held() -> Iterator[None]:
    """Celery answers SIGTERM by closing the scheduler, and makes a second one for it where the first is half made: in
    the middle of an import that ends with a traceback. The signal waits until it is made."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
