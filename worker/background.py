"""A loop in a thread of its own beside Celery: it goes on after Redis was away, and ends when the worker does."""

import random
import threading
from collections.abc import Callable

import structlog
from redis.exceptions import RedisError

log = structlog.get_logger()

LONGEST_PAUSE_SECONDS = 5.0
# Longer than what a turn may wait for a Redis that is away.
JOIN_SECONDS = 30.0


class Loop:
    """Calls `turn` until stopped. An error pauses it, longer each time, and calls `restore` before it goes on."""

    def __init__(self, name: str, turn: Callable[[], None], restore: Callable[[], None]) -> None:
        self._name = name
        self._turn = turn
        self._restore = restore
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def ends(self) -> threading.Event:
        """Set when the loop is to end: wait on it instead of sleeping."""
        return self._ends

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Begins no further turn."""
        self._ends.set()

    def stop(self) -> None:
        """Ends the loop after its present turn."""
        self.end()
        if self._thread.is_alive():
            self._thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        pause, ready = 0.0, False
        while not self._ends.is_set():
            try:
                if not ready:
                    self._restore()
                    ready = True
                self._turn()
                if pause:
                    log.info("loop_goes_on", loop=self._name)
                    pause = 0.0
            except Exception as error:
                pause, ready = self._pause(pause, error), False

    def _pause(self, pause: float, error: Exception) -> float:
        if not pause:
            event = "redis_is_away" if isinstance(error, RedisError) else "loop_went_wrong"
            log.error(event, loop=self._name, error=type(error).__name__)
        pause = min(LONGEST_PAUSE_SECONDS, pause * 2 or 0.1)
        self._ends.wait(pause * random.uniform(0.5, 1))
        return pause
