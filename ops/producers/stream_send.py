"""Enqueues the job on standard input with redis-py, and prints what became of it: `stream_send.py < job.json`."""

import json
import os
import sys
from typing import Any

from redis import Redis

URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")


def enqueue(redis: Redis, job: str) -> dict[str, Any] | None:
    """{"id", "state", "created"}, and "faults" where it was refused; None where no worker answers."""
    entry: Any = redis.xadd("invitations:inbox", {"job": job, "answer": "yes"})
    found: Any = redis.blpop([f"invitations:answer:{entry}"], timeout=30)
    answer: dict[str, Any] | None = json.loads(found[1]) if found else None
    return answer


if __name__ == "__main__":
    answer = enqueue(Redis.from_url(URL, decode_responses=True, socket_timeout=60), sys.stdin.read())
    if answer is None:
        sys.exit("no worker answered in 30 s; the job waits for one. To send it again doubles nothing.")
    if answer["state"] == "refused":
        sys.exit("\n".join(f"{fault['field']}: {fault['problem']}" for fault in answer["faults"]))
    print(answer["id"], answer["state"])
