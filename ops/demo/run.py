"""The demo from its first line to its last."""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis.exceptions import RedisError
from requests import RequestException
from rich.console import Console

from ops.cli.output import console
from ops.demo.places import Places
from ops.demo.processes import DemoError, Processes
from ops.demo.services import LOGIN, running, wait_until_ready
from ops.demo.signals import ended_by_signals
from ops.demo.snapshot import DELIVERED, LOST, Observer, Snapshot
from ops.demo.summary import Result, print_addresses, print_next, print_summary
from ops.demo.view import view
from ops.samples.orders import FILE

LOOK_SECONDS = 0.25
IMPORT_SECONDS = 60.0
DELIVERY_SECONDS = 180.0
INTERRUPTED = 130


def run_demo(keep: bool) -> int:
    """Runs the demo; with `keep` it stays up after its summary until Ctrl-C. Returns the exit code.

    Whatever happens, all processes are stopped and the folder is removed.
    """
    out = console()
    try:
        with ended_by_signals(), _folder() as folder:
            return _run(out, Places.in_folder(folder), keep)
    except KeyboardInterrupt:
        out.print("\nEnded before its end; nothing is left running.")
        return INTERRUPTED
    except DemoError as error:
        print(error, file=sys.stderr)
    except (RedisError, RequestException) as error:
        print(f"The demo lost sight of its server or simulator ({type(error).__name__}).", file=sys.stderr)
    return 1


def _run(out: Console, places: Places, keep: bool) -> int:
    out.print("Starting a server, a simulator of three providers, two workers, beat and Flower…")
    with running(places) as processes:
        wait_until_ready(places, processes)
        out.print(f"Flower: {places.flower}  (user and password: {LOGIN.replace(':', ', ')})")
        observer = Observer(places)
        began = time.monotonic()
        total = _import(processes)
        out.print(f"Imported {total} orders; each is due in a few seconds.")
        last, seconds = _watch(out, observer, processes, total, began)
        print_summary(out, Result(total, last, observer.obedience(), seconds))
        if keep:
            _keep(out, places, processes)
        else:
            print_next(out)
    return 0


def _import(processes: Processes) -> int:
    processes.start("import", "ops.cli", "import", str(FILE), "--json")
    return int(json.loads(processes.finish("import", seconds=IMPORT_SECONDS))["accepted"])


def _watch(out: Console, observer: Observer, processes: Processes, total: int, began: float) -> tuple[Snapshot, float]:
    """Shows the progress until all are delivered and the first are sent.

    Returns the last look, and the seconds since `began` after which all were delivered.
    """
    delivered_after: float | None = None
    with view(out, total) as shown:
        while True:
            processes.check()
            snapshot = observer.look()
            shown.show(snapshot)
            seconds = time.monotonic() - began
            if delivered_after is None and snapshot.delivered == total:
                delivered_after = seconds
            if delivered_after is not None and snapshot.count("sent"):
                return snapshot, delivered_after
            if snapshot.count(*LOST) or seconds > DELIVERY_SECONDS:
                raise DemoError(_not_delivered(snapshot, total, seconds))
            time.sleep(LOOK_SECONDS)


def _not_delivered(snapshot: Snapshot, total: int, seconds: float) -> str:
    states = {state: snapshot.count(state) for state in ("queued", "delivering", *DELIVERED, *LOST)}
    told = ", ".join(f"{count} {state}" for state, count in states.items() if count)
    return f"After {seconds:.0f} s not all of the {total} invitations were delivered and the first sent: {told}."


def _keep(out: Console, places: Places, processes: Processes) -> None:
    print_addresses(out, places)
    try:
        while True:
            processes.check()
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        out.print("\nEnding…")


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="invitations-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
