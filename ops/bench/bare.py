"""The least that calls a provider for what stands in Redis: a list, threads, and `requests`.

Nothing is kept, so nothing survives: it is the floor for what every job system adds.

Run as a worker: `python -m ops.bench.bare REDIS_URL URL TOKEN THREADS`.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Thread

from redis import Redis
from requests import Session

import ops
from ops.bench.peer import Load

QUEUE = "bare:jobs"
TIMEOUT_SECONDS = 30


class Bare:
    """The bare loop, as a peer."""

    name = "bare requests"
    packages: Sequence[str] = ("requests", "redis")

    def is_installed(self) -> bool:
        return True

    def worker_commands(self, load: Load) -> list[list[str]]:
        told = (load.redis_url, load.url, load.token, str(load.concurrency))
        return [[sys.executable, "-m", "ops.bench.bare", *told] for _ in range(load.processes)]

    def environment(self, load: Load) -> dict[str, str]:
        return {"PYTHONPATH": str(Path(ops.__file__).parents[1])}

    def enqueue(self, load: Load, jobs: Sequence[dict[str, object]]) -> float:
        with Redis.from_url(load.redis_url) as client:
            began = time.perf_counter()
            with client.pipeline(transaction=False) as pipe:
                for job in jobs:
                    pipe.lpush(QUEUE, json.dumps(job))
                pipe.execute()
            return time.perf_counter() - began


def _work(redis_url: str, url: str, token: str) -> None:
    session = Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {token}"
    with Redis.from_url(redis_url) as client:
        while True:
            found = client.brpop([QUEUE], timeout=1)
            if found:
                email = json.loads(found[1])["email"]
                session.post(url, json={"email": email}, timeout=TIMEOUT_SECONDS)


if __name__ == "__main__":
    for _ in range(int(sys.argv[4])):
        Thread(target=_work, args=sys.argv[1:4]).start()
