"""The loop beside Celery: goes on after Redis was away or something went wrong, restores first, ends when told."""

import threading

from redis.exceptions import ConnectionError as RedisConnectionError

from tests.support import wait_until
from worker.background import Loop


class Turns:
    """Fails as told, then counts."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.calls: list[str] = []

    def turn(self) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.calls.append("turn")
        threading.Event().wait(0.001)

    def restore(self) -> None:
        self.calls.append("restore")


def test_errors_pause_it_and_it_restores_before_it_goes_on() -> None:
    turns = Turns(RedisConnectionError(), ValueError())
    loop = Loop("test", turns.turn, turns.restore)

    loop.start()
    wait_until(lambda: turns.calls.count("turn") >= 3, seconds=5, what="three turns")
    loop.stop()

    assert turns.calls[:4] == ["restore", "restore", "restore", "turn"]
    assert turns.calls.count("restore") == 3


def test_it_ends_after_its_present_turn() -> None:
    turns = Turns()
    loop = Loop("test", turns.turn, turns.restore)
    loop.start()
    wait_until(lambda: "turn" in turns.calls, seconds=5, what="a turn")

    loop.stop()
    ended = len(turns.calls)
    threading.Event().wait(0.05)

    assert len(turns.calls) == ended
    assert "test" not in {thread.name for thread in threading.enumerate()}
