"""Processes as a deployment runs them: each with a log file of its own, ended by its own id."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support import wait_until

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
STOP_SECONDS = 60.0


class Running:
    """One process; `log` is the file that takes what it prints."""

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                env=dict(environment),
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )

    @property
    def text(self) -> str:
        """Everything that it printed until now."""
        return self.log.read_text("utf-8", errors="replace")

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wait_for(self, words: str) -> None:
        """Until it has printed `words`. Raises AssertionError with the end of its log."""
        try:
            wait_until(
                lambda: words in self.text or not self.alive, seconds=START_SECONDS, what=f"{self.name}: {words}"
            )
            assert words in self.text, f"{self.name} ended with {self._process.returncode}"
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.text[-4000:]}") from None

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> int:
        """Waits for its end. Returns its exit code."""
        return self._process.wait(STOP_SECONDS)

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        if self.alive:
            self.signal(signal.SIGTERM)
        return self.end()

    def kill(self) -> None:
        if self.alive:
            self._process.kill()
        self._process.wait()


def environment(**variables: str) -> dict[str, str]:
    """The environment of a process: this one's without any setting of ours, the project importable from any folder."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("INVITATIONS_", "FLOWER_", "CELERY"))
    }
    return {**inherited, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **variables}


def celery(*arguments: str) -> list[str]:
    """The command line `celery -A worker.app …`."""
    return [sys.executable, "-m", "celery", "-A", "worker.app", *arguments]
