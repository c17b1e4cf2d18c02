"""The pacer: in every worker process, it lets due invitations through their gates and announces them to Celery.

No pacer leads: admission is one atomic script, so any number of them share the work, and a dead one is not missed.
"""

from typing import Any

from celery import Celery, bootsteps
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from config.accounts_file import accounts
from config.celery_values import DELIVER_QUEUE
from config.settings import Settings, settings
from worker.background import Loop
from worker.connection import redis
from worker.ledger import Ledger, ledger
from worker.metrics import beat_of_pacer

BELL = "invitations:bell"
# Messages that may wait in Celery's queue, for each delivery at once: enough to keep every thread busy,
# few enough that a fresh invitation of another account is next.
QUEUE_FACTOR = 2
LONGEST_SLEEP_SECONDS = 1.0
QUEUE_FULL_SECONDS = 0.02


class Pacer:
    """Admits and announces. One for each worker process."""

    def __init__(self, app: Celery, ledger: Ledger, redis: Redis, settings: Settings) -> None:
        self._app = app
        self._ledger = ledger
        self._redis = redis
        self._longest = settings.concurrency * QUEUE_FACTOR
        self._lease_ms = settings.lease_seconds * 1000
        self._loop = Loop("pacer", self.turn, self._configure)

    def start(self) -> None:
        self._loop.start()

    def end(self) -> None:
        self._loop.end()

    def stop(self) -> None:
        self._loop.stop()

    def turn(self) -> None:
        """One look at the gates, and a sleep until the bell rings or the next known time."""
        wait_ms, ids = self._ledger.admit(DELIVER_QUEUE, self._longest, self._lease_ms)
        self._announce(ids)
        beat_of_pacer()
        if ids and wait_ms == 0:
            return
        seconds = LONGEST_SLEEP_SECONDS if wait_ms is None else min(wait_ms / 1000, LONGEST_SLEEP_SECONDS)
        if wait_ms == 0:
            self._loop.ends.wait(QUEUE_FULL_SECONDS)
        elif not self._loop.ends.is_set():
            self._redis.blpop([BELL], timeout=max(seconds, 0.001))

    def _configure(self) -> None:
        self._ledger.configure(accounts().values())

    def _announce(self, ids: list[str]) -> None:
        if not ids:
            return
        try:
            with self._app.producer_or_acquire() as producer:
                for invitation in ids:
                    self._app.send_task(
                        "invitations.deliver",
                        args=[invitation],
                        task_id=invitation,
                        producer=producer,
                        queue=DELIVER_QUEUE,
                        ignore_result=True,
                        retry=False,
                    )
        except OperationalError as error:
            # What was admitted and not announced comes back when its lease ends.
            raise RedisConnectionError(type(error).__name__) from None


class PacerStep(bootsteps.StartStopStep):
    """Runs the pacer from the worker's start to its stop."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._pacer = Pacer(parent.app, ledger(), redis(), settings())

    def start(self, parent: Any) -> None:
        self._pacer.start()

    def close(self, parent: Any) -> None:
        # Of all steps before the first is stopped: they end side by side.
        self._pacer.end()

    def stop(self, parent: Any) -> None:
        self._pacer.stop()

    terminate = stop
