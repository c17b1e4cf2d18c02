"""`make monitoring`: promtool's checks and tests; then every query of dashboard and alerts is put to a real Prometheus
that real workers feed under load."""

import shutil
import sys
import tempfile
import time
from math import isnan
from pathlib import Path

from ops.cli.output import console
from ops.demo.places import LOOPBACK, Places, free_ports
from ops.demo.processes import DemoError
from ops.demo.services import running, wait_until_ready
from ops.demo.signals import ended_by_signals
from ops.monitoring.load import drive
from ops.monitoring.prometheus import MonitoringError, Prometheus, check_files, prometheus
from ops.monitoring.queries import filled_in, metrics_in, queries

LOAD_SECONDS = 60.0
RATE_SECONDS = 10


def main() -> int:
    """Runs it all. Returns 0 where every query gave data and every metric that an alert asks for is there."""
    folder = Path(tempfile.mkdtemp(prefix="invitations-monitoring-"))
    try:
        with ended_by_signals():
            print(check_files(), flush=True)
            return _run(folder)
    except (MonitoringError, DemoError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path) -> int:
    places = Places.in_folder(folder)
    (port,) = free_ports(1)
    workers = [f"{LOOPBACK}:{one}" for one in places.metrics_ports]
    with running(places) as processes:
        wait_until_ready(places, processes)
        with prometheus(folder, port, workers, f"{LOOPBACK}:{places.flower_port}") as server:
            began = time.time()
            jobs = drive(places, processes, LOAD_SECONDS)
            print(f"\n{jobs} jobs in {LOAD_SECONDS:.0f} s, two workers, beat and Flower scraped every second\n")
            missing = _ask_for_dashboard(server, began) + _ask_for_alerts(server, began)
    print(f"\n{missing} without data" if missing else "\nEvery query gave data.")
    return 1 if missing else 0


def _ask_for_dashboard(server: Prometheus, began: float) -> int:
    """Prints how many series each query gave, and the last value of the first. Returns how many gave none."""
    out, empty = console(), 0
    out.print("| panel | query | series | lowest | highest |\n|---|---|---:|---:|---:|")
    for title, query in queries():
        found = server.series(filled_in(query, RATE_SECONDS), began, time.time())
        values = [value for one in found for value in one if not isnan(value)]
        empty += not values
        span = f"{min(values):,.6g} | {max(values):,.6g}" if values else "none | none"
        out.print(f"| {title} | `{_in_table(query)}` | {len(found)} | {span} |")
    return empty


def _ask_for_alerts(server: Prometheus, began: float) -> int:
    """Prints whether each alert's expression held at some moment. Returns how many of the metrics that they ask for are
    not there."""
    out, known, missing = console(), server.names(), 0
    out.print("\n| alert | metrics there | held at some moment |\n|---|---|---|")
    for name, query in server.rules().items():
        asked = metrics_in(query)
        missing += len(asked - known)
        held = bool(server.series(query, began, time.time()))
        out.print(f"| {name} | {len(asked & known)} of {len(asked)} | {'yes' if held else 'no'} |")
    return missing


def _in_table(query: str) -> str:
    return query.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
