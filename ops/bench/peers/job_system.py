"""A job system as a peer of the benchmark."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import ops
from ops.bench.peer import Load
from ops.bench.peers.enqueuer import Enqueuer
from ops.bench.peers.installed import installed_version

Commands = Callable[[Load], list[list[str]]]


@dataclass(slots=True)
class JobSystem:
    """`enqueuer` is the command of a process that enqueues (see Enqueuer): what that needs is loaded there alone,
    before any time is taken."""

    name: str
    packages: Sequence[str]
    worker_commands: Commands
    enqueuer: list[str]
    _process: Enqueuer | None = field(default=None, init=False)

    def is_installed(self) -> bool:
        """Whether all of its packages are."""
        return all(installed_version(package) for package in self.packages)

    def environment(self, load: Load) -> dict[str, str]:
        """The load as JSON, and where this project is."""
        return {"BENCH_LOAD": json.dumps(asdict(load)), "PYTHONPATH": str(Path(ops.__file__).parents[1])}

    def enqueue(self, load: Load, jobs: Sequence[dict[str, object]]) -> float:
        """Enqueues one job for each payload, in a process that is kept as long as Redis is the same. Returns seconds.

        Raises:
            PeerError: the process ended, which its own words on standard error explain.
        """
        if self._process is None or self._process.redis_url != load.redis_url:
            if self._process:
                self._process.close()
            self._process = Enqueuer(self.name, self.enqueuer, self.environment(load), load.redis_url)
        return self._process.enqueue(load.token, jobs)

    def close(self) -> None:
        """Ends the process that enqueues, where there is one."""
        if self._process:
            self._process.close()
            self._process = None
