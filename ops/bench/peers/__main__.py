"""The process that enqueues for a peer of Python: `python -m ops.bench.peers MODULE`.

What it reads and writes stands with Enqueuer. The module has `enqueue(token, jobs)`, a plain function or a coroutine.
"""

import asyncio
import json
import sys
import time
from importlib import import_module
from inspect import isawaitable

from ops.bench.peers.load import Job


async def _enqueue(module: str) -> None:
    enqueue = import_module(module).enqueue
    for line in sys.stdin:
        token: str
        jobs: list[Job]
        token, jobs = json.loads(line)
        began = time.perf_counter()
        if isawaitable(done := enqueue(token, jobs)):
            await done
        print(time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    asyncio.run(_enqueue(sys.argv[1]))
