"""Celery with a fault of its own: `python -m tests.resilience.bootstrap FAULT[=VALUE] -A worker.app worker …`."""

import os
import signal
import sys
import time
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from typing import Any
from unittest.mock import patch

import time_machine
from celery.__main__ import main
from celery.worker import state

import tasks.replies
from tasks.acceptance import Acceptance
from tasks.deliver import deliver


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def replace(name: str, new: Any) -> None:
    patch(name, new).start()


def after_take() -> None:
    """Dies when it has taken an invitation and no thread of it knows."""
    replace("worker.threads.DeliveryThreads.deliver", die)


def before_call() -> None:
    """Dies when it has claimed an invitation and not called the provider."""
    replace("tasks.delivery.Delivery.step", die)


def before_settle() -> None:
    """Dies when the provider has answered and the ledger does not know it."""
    replace("tasks.deliver._settle", die)


def before_accept() -> None:
    """Dies when it has taken a job from the inbox or the queue, and has not accepted it."""
    replace("tasks.acceptance.Acceptance.accept", die)


def after_messages() -> None:
    """Dies when it has taken messages from Celery's queue, and has not looked at them."""
    replace("worker.messages._Safe._deliver_one", die)


def before_acknowledge() -> None:
    """Dies when it has accepted a job, and the inbox or the queue does not know it. It delivers nothing."""
    replace("worker.pacer.Pacer._take", lambda *_: None)
    accept = Acceptance.accept
    replace("tasks.acceptance.Acceptance.accept", lambda own, raws, **options: die(accept(own, raws, **options)))


def before_reply() -> None:
    """Dies when it has brought an invitation to its end, and has not told whom the job names."""
    replace("tasks.replies.Message.send", die)


def after_reply() -> None:
    """Dies when it has told that, and what is owed does not know it."""
    tell = tasks.replies.Message.send
    replace("tasks.replies.Message.send", lambda *told: die(tell(*told)))


def version(number: str) -> None:
    """Writes records of that version, and leaves what is newer to others, half a second at a time."""
    replace("worker.ledger.VERSION", int(number))
    replace("worker.ledger.NEWEST", int(number))
    replace("worker.ledger.FOR_NEWER_MS", 500)


def clock(seconds: str) -> None:
    """Has a clock that is so far ahead, or behind."""
    time_machine.travel(time.time() + float(seconds), tick=True).start()


def stop_before_call() -> None:
    """Gets SIGTERM when a thread is about to begin with an invitation that was claimed for it."""

    def begin(invitation: str, begin: Any = deliver.run) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        while state.should_stop is None:
            time.sleep(0.01)
        return begin(invitation)

    replace("tasks.deliver.deliver.run", begin)


def stop_in_import() -> None:
    """Gets SIGTERM while beat makes its scheduler, in the middle of an import."""

    class Finder(MetaPathFinder):
        def find_spec(self, fullname: str, *_: Any) -> None:
            if fullname == "celery.backends.asynchronous":
                os.kill(os.getpid(), signal.SIGTERM)

    sys.meta_path.insert(0, Finder())


FAULTS: dict[str, Callable[..., None]] = {
    fault.__name__: fault
    for fault in (
        after_take,
        before_call,
        before_settle,
        before_accept,
        after_messages,
        before_acknowledge,
        before_reply,
        after_reply,
        version,
        clock,
        stop_before_call,
        stop_in_import,
    )
}


def faulty(fault: str, *arguments: str) -> list[str]:
    """The command line of such a process."""
    return [sys.executable, "-m", "tests.resilience.bootstrap", fault, "-A", "worker.app", *arguments]


def faulty_worker(fault: str, name: str) -> list[str]:
    return faulty(fault, "worker", "--without-mingle", "--hostname", f"{name}@test", "--loglevel", "INFO")


if __name__ == "__main__":
    name, *value = sys.argv.pop(1).split("=")
    FAULTS[name](*value)
    main()
