"""The pacer: in every worker process, it takes due invitations through their gates and has them delivered.

No pacer leads: admission is one atomic script, so any number of them share the work, and a dead one is not missed. Each
takes as many as it has threads that are free, so nothing waits in a worker, and a fresh invitation is next.
"""

from math import inf
from secrets import token_hex
from time import monotonic
from typing import Any

import structlog
from celery import bootsteps, signals
from redis import Redis
from redis.exceptions import OutOfMemoryError

from config.accounts_file import accounts
from config.settings import Settings, settings
from worker.background import Loop
from worker.bell import Bell
from worker.claims import UNREADABLE, Claim
from worker.connection import redis
from worker.ending import ending
from worker.ledger import TAKEN_WITHIN_SECONDS, Ledger, ledger
from worker.metrics import beat_of_pacer, count_ended
from worker.sign_of_life import SignOfLife
from worker.threads import DeliveryThreads

log = structlog.get_logger()

LONGEST_SLEEP_SECONDS = 1.0
CONFIGURED_EVERY_SECONDS = 60.0


class Pacer:
    """Takes what may pass and hands it over. One for each worker process."""

    def __init__(self, threads: DeliveryThreads, ledger: Ledger, redis: Redis, settings: Settings) -> None:
        self._threads = threads
        self._ledger = ledger
        self._redis = redis
        self._bell = Bell(redis)
        self._lease_ms = settings.lease_seconds * 1000
        self._sign_of_life = SignOfLife(settings.health_file)
        self._configured_at = 0.0
        self._name, self._number, self._asked_at = token_hex(4), 0, -inf
        self._loop = Loop("pacer", self.turn, self._configure)

    def start(self) -> None:
        self._loop.start()

    def end(self) -> None:
        self._loop.end()
        self._threads.end()

    def stop(self) -> None:
        self._loop.stop()
        self._threads.stop()

    def turn(self) -> None:
        """One look at the gates, and a sleep until the bell rings or the next known time."""
        free = self._threads.wait_for_free(LONGEST_SLEEP_SECONDS)
        beat_of_pacer()
        self._threads.publish_events()
        if ending.is_set():
            # What it took from now on would only be put back.
            self._loop.end()
        if self._loop.ends.is_set():
            return
        if not free:
            self._redis.ping()
            self._sign_of_life.give()
            return
        self._configure_again()
        wait_ms = self._take(free)
        if wait_ms != 0 and not self._loop.ends.is_set():
            self._sleep(LONGEST_SLEEP_SECONDS if wait_ms is None else wait_ms / 1000)

    def _sleep(self, seconds: float) -> None:
        if seconds < LONGEST_SLEEP_SECONDS:
            self._bell.wait_until_due(seconds, LONGEST_SLEEP_SECONDS)
        else:
            self._bell.wait(LONGEST_SLEEP_SECONDS)

    def _configure(self) -> None:
        self._ledger.configure(accounts().values())
        self._configured_at = monotonic()

    def _configure_again(self) -> None:
        if monotonic() - self._configured_at > CONFIGURED_EVERY_SECONDS:
            self._ledger.configure_groups()
            self._configured_at = monotonic()

    def _take(self, free: int) -> int | None:
        """Takes so many and hands them over. Returns milliseconds until the next look, None for what no clock tells."""
        if monotonic() - self._asked_at > TAKEN_WITHIN_SECONDS:
            self._number += 1
            self._asked_at = monotonic()
        try:
            wait_ms, claims = self._ledger.take(free, self._lease_ms, self._name, self._number, self._asked_at)
        except OutOfMemoryError:
            # Redis answered: that it is full ends with no restart of a worker.
            self._sign_of_life.give()
            raise
        self._sign_of_life.give()
        self._asked_at = -inf
        for invitation, claim in claims.items():
            if isinstance(claim, Claim):
                self._threads.deliver(claim)
            elif claim.why == UNREADABLE:
                log.error("record_cannot_be_claimed", invitation=invitation)
            else:
                log.info("invitation_not_claimed", invitation=invitation, account=claim.account, reason=claim.why)
                count_ended(claim)
        return wait_ms


class PacerStep(bootsteps.StartStopStep):
    """Runs the pacer from the moment when Celery's consumer is ready to the worker's stop."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        threads = DeliveryThreads(parent.app, settings().concurrency, lambda: parent.consumer)
        self._pacer = Pacer(threads, ledger(), redis(), settings())

    def info(self, parent: Any) -> Any:
        """What Flower shows under Pool, which is Celery's pool alone."""
        own = f"{settings().concurrency} threads of their own"
        return {"pool": {**parent.pool.info, "serves": "jobs that come in, and retrieval", "deliveries": own}}

    def start(self, parent: Any) -> None:
        signals.worker_ready.connect(self._begin)

    def _begin(self, **_: object) -> None:
        self._pacer.start()

    def close(self, parent: Any) -> None:
        # Of all steps before the first is stopped: they end side by side.
        self._pacer.end()

    def stop(self, parent: Any) -> None:
        self._pacer.stop()

    terminate = stop
