"""A real Prometheus on the loopback interface, for the length of one run."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from ops.demo.loopback import TIMEOUT_SECONDS, answers
from ops.demo.places import LOOPBACK

FOLDER = Path(__file__).parent
ALERTS, ALERTS_TEST, CONFIG = FOLDER / "alerts.yml", FOLDER / "alerts_test.yml", FOLDER / "prometheus.yml"
START_SECONDS = 30.0
LOOK_SECONDS = 0.2
SCRAPE_SECONDS = 1
"""Of the run: what Grafana shows of hours is seen in a minute."""


class MonitoringError(Exception):
    """The run cannot go on; the message says why, and what to do where something can be done."""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """One that runs at `address`."""

    address: str

    def rules(self) -> dict[str, str]:
        """The expression of each alert that it loaded, by name; where several share a name, with a number."""
        found: dict[str, str] = {}
        for group in self._get("rules")["groups"]:
            for rule in group["rules"]:
                same = sum(name.partition(" ")[0] == rule["name"] for name in found)
                found[f"{rule['name']} {same + 1}" if same else rule["name"]] = rule["query"]
        return found

    def series(self, query: str, begin: float, end: float) -> list[list[float]]:
        """The values of each series that the query gives between two times (seconds since the epoch)."""
        told = self._get("query_range", query=query, start=str(begin), end=str(end), step=str(SCRAPE_SECONDS))
        return [[float(value) for _, value in one["values"]] for one in told["result"]]

    def names(self) -> set[str]:
        """Every metric that it has."""
        return set(self._get("label/__name__/values"))

    def _get(self, path: str, **parameters: str) -> Any:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(f"{self.address}/api/v1/{path}", params=parameters, timeout=TIMEOUT_SECONDS)
        told = answer.json()
        if told["status"] != "success":
            raise MonitoringError(f"Prometheus does not take a query: {told['error']}")
        return told["data"]


def check_files() -> str:
    """What promtool says of the configuration, the alerts and their tests. Raises MonitoringError where it fails."""
    lines = []
    for command in (("check", "config", CONFIG), ("check", "rules", ALERTS), ("test", "rules", ALERTS_TEST)):
        ran = subprocess.run([program("promtool"), *map(str, command)], capture_output=True, text=True, check=False)
        lines.append(f"promtool {command[0]} {command[1]} {command[2].name}\n{ran.stdout}{ran.stderr}".rstrip())
        if ran.returncode:
            raise MonitoringError("\n".join(lines))
    return "\n".join(lines).replace(f"{FOLDER}/", "")


@contextmanager
def prometheus(folder: Path, port: int, workers: list[str], flower: str) -> Iterator[Prometheus]:
    """Scrapes these hosts with ports every second, and does all else as in prometheus.yml."""
    config, log = folder / "prometheus.yml", folder / "prometheus.log"
    config.write_text(_config(workers, flower), "utf-8")
    command = [
        program("prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address={LOOPBACK}:{port}",
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        running = Prometheus(f"http://{LOOPBACK}:{port}")
        deadline = time.monotonic() + START_SECONDS
        while not answers(f"{running.address}/-/ready"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise MonitoringError(f"Prometheus does not start:\n{log.read_text('utf-8')[-2000:]}")
            time.sleep(LOOK_SECONDS)
        yield running
    finally:
        process.terminate()
        process.wait()


def program(name: str) -> str:
    """Where it is. Raises MonitoringError where it is not installed."""
    found = shutil.which(name)
    if found is None:
        raise MonitoringError(f"This needs {name}: on Debian, apt-get install prometheus")
    return found


def _config(workers: list[str], flower: str) -> str:
    """As shipped, but for what has to be different here: how often, where the alerts are, and no name server."""
    shipped = CONFIG.read_text("utf-8")
    every = re.sub(r"_interval: 15s", f"_interval: {SCRAPE_SECONDS}s", shipped)
    alerts = every.replace("rule_files: [alerts.yml]", f"rule_files: {json.dumps([str(ALERTS)])}")
    found = re.sub(r"dns_sd_configs:\n(?: {6}.*\n)+", f"static_configs: {json.dumps([{'targets': workers}])}\n", alerts)
    return found.replace('"flower:5555"', json.dumps(flower))
