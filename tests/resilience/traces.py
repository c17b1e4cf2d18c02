"""Everything that somebody may read of a deployment, by where it stands."""

import json
from dataclasses import dataclass, field
from typing import Any

import requests
from celery import Celery

from tests.integration.deployment import Deployment

INSPECTED = (
    "active",
    "reserved",
    "scheduled",
    "revoked",
    "report",
    "stats",
    "registered",
    "active_queues",
)
TABLE = "/tasks/datatable?draw=1&start=0&length=10000&order[0][column]=0&columns[0][data]=name&order[0][dir]=asc"


@dataclass
class Traces:
    """`texts` by their place; `login` is Flower's."""

    deployment: Deployment
    login: tuple[str, str]
    texts: dict[str, str] = field(default_factory=dict)

    def note(self, place: str, *things: object) -> None:
        self.texts[place] = "\n".join(thing if isinstance(thing, str) else repr(thing) for thing in things)

    def inspect(self, client: Celery, worker: str, ids: list[str]) -> dict[str, Any]:
        """What the worker tells of itself and of these tasks. Returns it."""
        inspector = client.control.inspect([worker], timeout=10, limit=1)
        told: dict[str, Any] = {name: (getattr(inspector, name)() or {}).get(worker) for name in INSPECTED}
        told["conf"] = (inspector.conf(with_defaults=True) or {}).get(worker)
        told["query_task"] = (inspector.query_task(*ids) or {}).get(worker)
        assert [name for name, answer in told.items() if answer is None] == []
        for name, answer in told.items():
            self.note(f"inspect {name}", answer)
        return told

    def read_flower(self, address: str, tasks: set[str], worker: str) -> None:
        """Its pages and its API: lists, every one of these tasks, the worker with its configuration."""
        paths = ["/", "/tasks", TABLE, f"/worker/{worker}", "/broker", "/api/tasks", "/metrics"]
        paths += ["/api/workers?refresh=1", "/api/queues/length", "/api/task/types"]
        paths += [f"{kind}/{task}" for task in tasks for kind in ("/task", "/api/task/info", "/api/task/result")]
        with requests.Session() as session:
            session.auth = self.login
            for path in paths:
                answer = session.get(address + path, timeout=20)
                assert answer.status_code in (200, 404), f"{path}: {answer.status_code}"
                self.note(f"Flower's {path}", answer.text, str(answer.headers))

    def read_events(self, events: list[dict[str, Any]]) -> None:
        for number, event in enumerate(events):
            self.note(f"Celery event {number}, {event['type']}", json.dumps(event))

    def read_files(self) -> None:
        """What the processes printed, and whatever else they left behind."""
        own = {self.deployment.accounts_file, *self.deployment.folder.glob("*.input")}
        for file in sorted(self.deployment.folder.rglob("*")):
            if file.is_file() and file not in own:
                self.note(f"file {file.name}", file.read_text("utf-8", errors="backslashreplace"))
