"""A task of Celery that does nothing: what a message costs a worker at least, whatever it is for.

Run as a worker: `celery -A ops.bench.nothing worker`, with the address of Redis in BENCH_REDIS_URL.
"""

import os
import sys
from pathlib import Path
from typing import Any

from celery import Celery

import ops
from ops.bench.peer import Load

NAME = "plain Celery, a task that does nothing"
QUEUE = "celery"
TASK = "nothing"

_url = os.environ.get("BENCH_REDIS_URL", "")
app = Celery("nothing", broker=_url, backend=_url)


@app.task(name=TASK, acks_late=True)
def nothing(job: dict[str, Any]) -> dict[str, Any]:
    """Acknowledged late and with a result, as `invitations.send` is."""
    return {"id": "0" * 32, "state": "queued", "created": True}


def worker_command(load: Load) -> list[str]:
    """On threads, and with the events that Flower shows."""
    options = ("-P", "threads", "-c", str(load.concurrency), "-E", "-n", "nothing@bench")
    return [sys.executable, "-m", "celery", "-A", "ops.bench.nothing", "worker", *options]


def environment(load: Load) -> dict[str, str]:
    return {"PYTHONPATH": str(Path(ops.__file__).parents[1]), "BENCH_REDIS_URL": load.redis_url}
