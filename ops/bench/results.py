"""What a benchmark leaves: `results.json` with every figure, `table.md`, and plots."""

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ops.bench.figures import Bound, Figure
from ops.bench.peer import Peer
from ops.bench.peers.installed import installed_version
from ops.bench.place import Place
from ops.bench.table import markdown

FILE, TABLE = "results.json", "table.md"
# JSON knows no infinity.
NEVER = "never"


@dataclass(slots=True)
class Results:
    """The figures of each scenario by its name, the conditions in which they came, and what was left out and why."""

    conditions: dict[str, str]
    figures: dict[str, list[Figure]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """Both files; what is already there is replaced."""
        folder.mkdir(parents=True, exist_ok=True)
        told = {
            "conditions": self.conditions,
            "left_out": self.left_out,
            "figures": {name: [_as_json(one) for one in those] for name, those in self.figures.items()},
        }
        (folder / FILE).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")
        (folder / TABLE).write_text(markdown(self.all(), self.conditions, self.left_out), "utf-8")

    def all(self) -> list[Figure]:
        return [figure for those in self.figures.values() for figure in those]


def read(folder: Path) -> Results | None:
    """What stands there, None where nothing does."""
    if not (folder / FILE).exists():
        return None
    told = json.loads((folder / FILE).read_text("utf-8"))
    figures = {name: [_from_json(one) for one in those] for name, those in told["figures"].items()}
    return Results(told["conditions"], figures, told["left_out"])


def conditions(place: Place, peers: Iterable[Peer]) -> dict[str, str]:
    """The machine and the versions; nothing that names the machine."""
    info: Any = place.redis.info("server")
    packages = dict.fromkeys(name for peer in peers for name in peer.packages)
    versions = ", ".join(f"{name} {version}" for name in packages if (version := installed_version(name)))
    return {
        "machine": f"{os.cpu_count()} cores, {_processor()}, {platform.system()}",
        "Python": platform.python_version(),
        "server": f"{info.get('server_name', 'redis')} {info.get('valkey_version') or info['redis_version']},"
        " append-only file synced every second; it, the provider and all workers share the machine",
        "versions": versions,
        "day": f"{datetime.now(UTC):%Y-%m-%d}",
        "figures": "of a quick run: they show that it works, and nothing else"
        if place.quick
        else "medians of the runs, in which all subjects take turns",
        "load of the machine before": f"{os.getloadavg()[0]:.1f}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _as_json(figure: Figure) -> dict[str, Any]:
    told = {name: value for name, value in asdict(figure).items() if value not in (None, (), "")}
    return told | ({"value": NEVER} if figure.value == float("inf") else {})


def _from_json(told: dict[str, Any]) -> Figure:
    bounds = tuple(Bound(**bound) for bound in told.get("bounds", ()))
    return Figure(**{**told, "bounds": bounds, "value": float("inf") if told["value"] == NEVER else told["value"]})
