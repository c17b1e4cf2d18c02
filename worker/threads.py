"""The threads that deliver: each invitation that a worker claimed becomes a Celery request in this very process.

The request has the invitation's id, Celery's events and Celery's states, as if a message had brought it; but no message
is written, read and acknowledged for it, which cost more than the call itself. These threads are beside the pool of
Celery: what that pool does (accepting jobs, asking what was sent) never stands before a delivery.
"""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Condition
from time import monotonic
from types import SimpleNamespace
from typing import Any

from celery import Celery
from celery.concurrency.thread import TaskPool
from celery.exceptions import TaskRevokedError
from celery.worker import state

from worker.claims import Claim
from worker.masking import MASKED, MaskedRequest
from worker.metrics import THREADS, THREADS_BUSY

TASK = "invitations.deliver"
# What Celery reads of the message that brought a request.
NO_MESSAGE = SimpleNamespace(delivery_info={}, properties={})
EVENTS_EVERY_SECONDS, EVENTS_AT_ONCE = 0.25, 1000


class DeliveryThreads:
    """So many deliveries at once, of one worker process. `consumer` gives Celery's consumer, whose name and events the
    requests have, or None before it is there."""

    def __init__(self, app: Celery, limit: int, consumer: Callable[[], Any]) -> None:
        self._app = app
        self._consumer = consumer
        self._pool: Any = TaskPool(limit, app=app)
        # Until then it takes the text of everything that it is given, for a debug line.
        self._pool.start()
        self._free = limit
        self._ends = False
        self._changes = Condition()
        self._published_at = 0.0
        THREADS.set(limit)
        THREADS_BUSY.set_function(lambda: limit - self._free)

    def wait_for_free(self, seconds: float) -> int:
        """How many threads have nothing to do; where none has, waits so long for one, or until the end."""
        with self._changes:
            self._changes.wait_for(lambda: self._free > 0 or self._ends, seconds)
            return self._free

    def end(self) -> None:
        """Nobody waits for a free thread any longer."""
        with self._changes:
            self._ends = True
            self._changes.notify_all()

    def deliver(self, claim: Claim) -> None:
        """Gives the claim to a thread."""
        request = self._request(claim)
        state.task_reserved(request)
        account = repr({"account": claim.account})
        request.send_event("task-received", name=TASK, args=MASKED, kwargs=account, retries=0, root_id=claim.id)
        try:
            result: Any = request.execute_using_pool(self._pool)
        except TaskRevokedError:
            return
        with self._changes:
            self._free -= 1
        result.f.add_done_callback(self._is_free)

    def publish_events(self) -> None:
        """Publishes the events of tasks that have gathered, a few times a second at most: each time costs as much as a
        call."""
        dispatcher = self._consumer().event_dispatcher
        if dispatcher and monotonic() - self._published_at > EVENTS_EVERY_SECONDS:
            dispatcher.buffer_limit = EVENTS_AT_ONCE
            dispatcher.flush()
            self._published_at = monotonic()

    def stop(self) -> None:
        """Returns when the last call has ended. What no thread began yet settles at once, for the worker is ending."""
        self._pool.executor.shutdown()

    def _request(self, claim: Claim) -> MaskedRequest:
        consumer = self._consumer()
        return MaskedRequest(
            NO_MESSAGE,
            app=self._app,
            hostname=consumer.hostname,
            eventer=consumer.event_dispatcher,
            task=self._app.tasks[TASK],
            headers={"id": claim.id, "task": TASK, "root_id": claim.id, "ignore_result": True, "claim": claim},
            body=([claim.id], {}, {}),
            decoded=True,
        )

    def _is_free(self, _: Future[Any]) -> None:
        with self._changes:
            self._free += 1
            self._changes.notify_all()
