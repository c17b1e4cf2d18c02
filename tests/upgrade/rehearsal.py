"""Workers of two versions over one Redis, replaced one at a time while producers of both enqueue."""

import json
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, cast

from tests.integration.deployment import Deployment, job, within
from tests.integration.processes import Running, celery
from tests.property.invariants import check_places
from tests.property.snapshot import take_snapshot
from tests.resilience.storm import ACCOUNTS, by_celery, by_inbox
from tests.upgrade import producer
from tests.upgrade.tree import Tree
from worker.ledger import NO_ACCOUNT

WORKERS = 3
# Jobs of a Redis client, and as many of a Celery client, at each replacement.
BESIDE = 60
UNDER_WAY = 100
DELIVERED = ("accepted", "sent")
# An older worker leaves a newer record alone for a minute at a time.
PATIENCE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Row:
    """What a step came to, counted over all that was enqueued until its end. `lost`: in no state that is known, or in
    one that says that the provider did not get it; `repeated`: calls that the provider answered "I have it already"."""

    step: str
    enqueued: int
    delivered: int
    waiting: int
    lost: int
    repeated: int
    attempts: int
    seconds: float


class Rehearsal:
    """One deployment, whose workers are of the one version or of the other."""

    def __init__(self, deployment: Deployment, old: Tree, new: Tree) -> None:
        self._deployment = deployment
        self._trees = {tree.name: tree for tree in (old, new)}
        self._numbers = count(1)
        self._producers: list[Running] = []
        self._started: list[Running] = []
        self._enqueued = 0
        self.workers: list[Running] = []

    @property
    def folder(self) -> Path:
        """For files of the processes."""
        return self._deployment.folder

    def start_workers(self, version: str) -> None:
        self.workers = [self._start_worker(version) for _ in range(WORKERS)]

    def replace(self, version: str, step: str) -> Row:
        """Every worker by one of `version`, one after the other, while producers of both versions enqueue. Returns when
        whatever workers of this version can deliver is delivered."""
        began = time.monotonic()
        self._start_producers()
        before = self._delivered()
        within(lambda: self._delivered() > before + UNDER_WAY, "deliveries under way", PATIENCE_SECONDS)
        for old in list(self.workers):
            self._enqueue_beside()
            fresh = self._start_worker(version)
            old.signal(signal.SIGTERM)
            _wait_for_end(old)
            self.workers = [*(one for one in self.workers if one is not old), fresh]
        self._stop_producers()
        return self._settle(step, began)

    def run(self, version: str, *arguments: str) -> Any:
        """What that version's `invitations` prints, as JSON."""
        running = self._start("command", version, [sys.executable, "-m", "ops.cli", *arguments, "--json"])
        within(lambda: not running.alive, f"{arguments[0]} ended", PATIENCE_SECONDS)
        return json.loads(running.text.splitlines()[-1])

    def states(self) -> Counter[tuple[str, str, str]]:
        """How many records there are: by version, state and reason."""
        found = self._records("v", "state", "reason")
        return Counter((version or "", state or "", reason or "") for version, state, reason in found)

    def check(self) -> None:
        """Every invitation has one state and stands in the one place of it; no process printed a traceback."""
        names = [*self._deployment.accounts, NO_ACCOUNT]
        check_places(take_snapshot(self._deployment.redis, names, names))
        for process in self._started:
            assert "Traceback" not in process.text, f"{process.name}\n{process.text[-8000:]}"

    def end(self) -> None:
        for process in self._started:
            process.kill()

    def _settle(self, step: str, began: float) -> Row:
        """Waits until all that is left waits for a newer version."""
        within(lambda: self._left() == 0, f"{step}: all delivered that can be", PATIENCE_SECONDS)
        self.check()
        states: Counter[str] = Counter()
        for (_, state, _), number in self.states().items():
            states[state] += number
        delivered = sum(states[state] for state in DELIVERED)
        return Row(
            step,
            self._enqueued,
            delivered,
            states["queued"],
            self._enqueued - delivered - states["queued"],
            sum(self._deployment.stats(account).get("duplicates", 0) for account in ACCOUNTS),
            sum(int(attempts or 0) for (attempts,) in self._records("attempts")),
            time.monotonic() - began,
        )

    def _left(self) -> int:
        """How many that the workers there are know what to do with."""
        newest = max(int(self._version_of(worker)) for worker in self.workers)
        known = self._records("v", "state")
        not_yet = self._enqueued - len(known)
        return not_yet + sum(int(v or 0) <= newest and state in ("queued", "delivering") for v, state in known)

    def _version_of(self, worker: Running) -> str:
        """Of the records that it writes."""
        root = self._trees[worker.name.split("-")[1]].root
        line = next(line for line in (root / "worker/ledger.py").read_text("utf-8").splitlines() if "VERSION =" in line)
        return line.partition("=")[2]

    def _records(self, *fields: str) -> list[list[str | None]]:
        redis = self._deployment.redis
        with redis.pipeline(transaction=False) as pipe:
            # A scan may tell of a key twice.
            for key in set(redis.scan_iter("invitations:record:*", count=1_000)):
                pipe.hmget(key, *fields)
            return cast(list[list[str | None]], pipe.execute())

    def _delivered(self) -> int:
        return sum(self._deployment.count(account, state) for account in ACCOUNTS for state in DELIVERED)

    def _start_worker(self, version: str) -> Running:
        name = f"{version}{next(self._numbers)}@test"
        worker = self._start(
            "worker", version, celery("worker", "--without-mingle", "--hostname", name, "--loglevel", "INFO")
        )
        within(lambda: " ready." in worker.text or not worker.alive, f"{worker.name} ready", PATIENCE_SECONDS)
        assert worker.alive, f"{worker.name} ended\n{worker.text[-4000:]}"
        return worker

    def _start_producers(self) -> None:
        for version in self._trees:
            name = f"{version}{next(self._numbers)}"
            command = [sys.executable, "-P", str(Path(producer.__file__)), name, str(self._stop_file)]
            self._producers.append(self._start("producer", version, command))

    def _stop_producers(self) -> None:
        self._stop_file.touch()
        for running in self._producers:
            _wait_for_end(running)
            self._enqueued += int(running.text.split()[-1])
        self._producers.clear()
        self._stop_file.unlink()

    @property
    def _stop_file(self) -> Path:
        return self.folder / "producers.stop"

    def _enqueue_beside(self) -> None:
        """As shops do that know nothing of this program: accepted by whichever worker takes them."""
        for enqueue in (by_inbox, by_celery):
            name = f"beside{next(self._numbers)}"
            enqueue(self._deployment, [job(ACCOUNTS[one % 3], f"{name}-{one}") for one in range(BESIDE)])
            self._enqueued += BESIDE

    def _start(self, kind: str, version: str, command: list[str]) -> Running:
        tree = self._trees[version]
        environment = tree.environment(self._deployment.environment())
        name = f"{kind}-{version}-{next(self._numbers)}"
        running = Running(name, [tree.python, *command[1:]], environment, self._deployment.folder)
        self._started.append(running)
        return running


def _wait_for_end(process: Running) -> None:
    """Until it has ended as it should."""
    within(lambda: not process.alive, f"{process.name} ended", PATIENCE_SECONDS)
    code = process.end()
    assert code == 0, f"{process.name} ended with {code}\n{process.text[-4000:]}"
