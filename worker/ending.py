"""Whether this worker was asked to end: calls that run end, and nothing new starts."""

from threading import Event

from celery import signals

ending = Event()


@signals.worker_shutting_down.connect
def _end(**_: object) -> None:
    ending.set()
