"""What Flower keeps of Celery's events, in memory and on disk: no arguments but the account, nobody's address."""

import os
import re
import signal
from logging import getLogger
from typing import Any

import flower.app  # type: ignore[import-untyped]
import flower.events  # type: ignore[import-untyped]
from flower.events import Events, EventsState

from worker.masking import MASKED, scrub

Event = dict[str, Any]
log = getLogger("flower")

ACCOUNT_ALONE = re.compile(r"\{'account': '[a-z0-9_]+'\}")


class MaskedState(EventsState):  # type: ignore[misc]
    """Workers mask what they tell; a client that sends Celery's events of its own (`task_send_sent_event`) does not."""

    def event(self, event: Event) -> None:
        super().event(masked(event) if event["type"].startswith("task-") else event)


def masked(event: Event) -> Event:
    """An event of a task, without its arguments and without addresses in what it tells of its end."""
    shown = dict(event)
    for name in shown.keys() & {"args", "kwargs"}:
        if not ACCOUNT_ALONE.fullmatch(str(shown[name])):
            shown[name] = MASKED
    for name in ("result", "exception", "traceback"):
        if shown.get(name):
            shown[name] = scrub(str(shown[name]))
    return shown


class SavedEvents(Events):  # type: ignore[misc]
    """Flower would save only after its threads ended, and with Redis away one of them waits for it without end."""

    def start(self) -> None:
        super().start()
        self.io_loop.asyncio_loop.add_signal_handler(signal.SIGTERM, self._end)

    def _end(self) -> None:
        try:
            self.stop()
        except OSError as error:
            log.error("What was seen could not be saved in %s: %s", self.db, error.strerror or type(error).__name__)
            os._exit(1)
        if self.persistent:
            log.info("What was seen is saved in %s", self.db)
        os._exit(0)


def take_over() -> None:
    """Has the Flower of this process keep its events so; before it starts."""
    flower.events.EventsState = MaskedState
    flower.app.Events = SavedEvents
