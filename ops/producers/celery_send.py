"""Enqueues the job on standard input with Celery alone, and prints what became of it: `celery_send.py < job.json`."""

import json
import os
import sys
from typing import Any

from celery import Celery
from celery.exceptions import TimeoutError

URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
shop = Celery("shop", broker=URL, backend=URL)


def enqueue(job: dict[str, Any]) -> dict[str, Any]:
    """{"id", "state", "created"}, and "faults" where it was refused. Raises TimeoutError where no worker answers."""
    answer: dict[str, Any] = shop.send_task("invitations.send", args=[job], queue="invitations").get(timeout=30)
    return answer


if __name__ == "__main__":
    try:
        answer = enqueue(json.load(sys.stdin))
    except TimeoutError:
        sys.exit("no worker answered in 30 s; the job waits for one. To send it again doubles nothing.")
    if answer["state"] == "refused":
        sys.exit("\n".join(f"{fault['field']}: {fault['problem']}" for fault in answer["faults"]))
    print(answer["id"], answer["state"])
