"""The threads that deliver: as many at once as there are, and each is free again whatever came of its call."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from time import sleep
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from celery.app.trace import build_tracer, reset_worker_optimizations, setup_worker_optimizations
from celery.worker import state

from tasks.deliver import deliver
from tests.support import wait_until
from worker.app import app
from worker.claims import Claim
from worker.threads import DeliveryThreads

CONSUMER = SimpleNamespace(hostname="worker@test", event_dispatcher=None)


@contextmanager
def threads(number: int, run: Callable[[str], object]) -> Iterator[DeliveryThreads]:
    """So many, which run this instead of a delivery, as in a worker."""
    setup_worker_optimizations(app)
    with patch.object(deliver, "run", run):
        deliver.__trace__ = build_tracer(deliver.name, deliver, app.loader, app=app)
        made = DeliveryThreads(app, number, lambda: CONSUMER)
        yield made
        made.stop()
    deliver.__trace__ = None
    reset_worker_optimizations(app)


def claim(invitation: str) -> Claim:
    return Claim(invitation, "1", "portal", "{}")


def test_a_call_takes_a_thread_until_it_ends() -> None:
    ends = Event()
    with threads(2, lambda _: ends.wait(10)) as two:
        assert two.wait_for_free(0) == 2
        two.deliver(claim("a"))
        two.deliver(claim("b"))
        assert two.wait_for_free(0) == 0

        ends.set()

        assert two.wait_for_free(10) > 0
        wait_until(lambda: two.wait_for_free(0) == 2, seconds=10, what="both threads free")


def test_a_thread_is_free_again_after_an_error() -> None:
    def stumble(_: str) -> None:
        raise KeyError

    with threads(1, stumble) as one:
        for invitation in ("a", "b", "c"):
            one.deliver(claim(invitation))
            assert one.wait_for_free(10) == 1


def test_at_the_end_what_no_thread_began_is_run_too() -> None:
    ran: list[str] = []

    def run(invitation: str) -> None:
        sleep(0.05)
        ran.append(invitation)

    with threads(1, run) as one:
        for invitation in ("a", "b", "c"):
            one.deliver(claim(invitation))

    assert ran == ["a", "b", "c"]


def test_what_was_revoked_takes_no_thread() -> None:
    ran: list[str] = []
    state.revoked.add("revoked")
    with threads(1, ran.append) as one, patch("tasks.deliver._write_down") as written:
        one.deliver(claim("revoked"))

        assert one.wait_for_free(0) == 1
        assert written.call_args.args[0].id == "revoked"
    assert ran == []


@pytest.mark.timeout(30)
def test_at_the_end_nobody_waits_for_a_thread() -> None:
    ends = Event()
    with threads(1, lambda _: ends.wait(20)) as one:
        one.deliver(claim("a"))

        one.end()

        assert one.wait_for_free(1000) == 0
        ends.set()
