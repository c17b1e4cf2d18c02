"""What a user would pick instead, each as its own documentation tells. Nothing here imports any of them.

A peer is a module of this package, which its workers import, and a process that enqueues; BullMQ's are of Node.
"""

import sys
from pathlib import Path

from ops.bench.peer import Load, Peer
from ops.bench.peers.job_system import Commands, JobSystem

HERE = Path(__file__).parent
PYTHON = (sys.executable, "-m")


def _celery(module: str, pool: str) -> Commands:
    def commands(load: Load) -> list[list[str]]:
        worker = ["celery", "-A", f"{__name__}.{module}", "worker", "--pool", pool, "--loglevel", "WARNING"]
        worker += ["--concurrency", str(load.concurrency), "--hostname"]
        return [[*PYTHON, *worker, f"peer{number}@%h"] for number in range(load.processes)]

    return commands


def _dramatiq(load: Load) -> list[list[str]]:
    counts = ["--processes", str(load.processes), "--threads", str(load.concurrency), "--skip-logging"]
    return [[*PYTHON, "dramatiq", f"{__name__}.dramatiq_window", *counts]]


def _huey(load: Load) -> list[list[str]]:
    told = ["--quiet", "--worker-type", "thread", "--workers", str(load.concurrency), "--graceful-signal", "TERM"]
    worker = [*PYTHON, "huey.bin.huey_consumer", f"{__name__}.huey_window.huey", *told]
    return [worker] * load.processes


def _arq(load: Load) -> list[list[str]]:
    module = f"{__name__}.arq_defer"
    worker = [*PYTHON, "arq", f"{module}.WorkerSettings", "--custom-log-dict", f"{module}.QUIET"]
    return [worker] * load.processes


def _taskiq(module: str) -> Commands:
    def commands(load: Load) -> list[list[str]]:
        where, quiet = f"{__name__}.{module}", ["--log-level", "WARNING"]
        counts = ["--workers", str(load.processes), "--max-async-tasks", str(load.concurrency)]
        # Asked to end once, taskiq 0.13 waits for the next job first, however long that takes.
        counts.append("--hardkill-count=-1")
        return [
            [*PYTHON, "taskiq", "worker", f"{where}:broker", *counts, *quiet],
            [*PYTHON, "taskiq", "scheduler", f"{where}:scheduler", "--update-interval", "1", *quiet],
        ]

    return commands


def _bullmq(load: Load) -> list[list[str]]:
    return [["node", str(HERE / "bullmq" / "worker.mjs")]] * load.processes


def _python(name: str, module: str, packages: tuple[str, ...], commands: Commands) -> JobSystem:
    return JobSystem(name, packages, commands, [*PYTHON, __name__, f"{__name__}.{module}"])


_TASKIQ = ("taskiq", "taskiq-redis", "aiohttp")

PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        _python("Celery", "celery_naive", ("celery",), _celery("celery_naive", "threads")),
        _python("Celery rate_limit", "celery_rate_limit", ("celery", "gevent"), _celery("celery_rate_limit", "gevent")),
        _python("dramatiq", "dramatiq_window", ("dramatiq",), _dramatiq),
        _python("huey", "huey_window", ("huey",), _huey),
        _python("arq", "arq_defer", ("arq", "aiohttp"), _arq),
        _python("taskiq", "taskiq_stream", _TASKIQ, _taskiq("taskiq_stream")),
        _python("taskiq list", "taskiq_list", _TASKIQ, _taskiq("taskiq_list")),
        JobSystem("BullMQ", ("bullmq", "ioredis"), _bullmq, ["node", str(HERE / "bullmq" / "enqueue.mjs")]),
    )
}
"""By the name that the table gives them."""
