"""The processes of the demo: each with a log of its own, and none left behind."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from ops.demo.signals import signals_wait
from worker.masking import scrub

TAIL_LINES = 15
END_SECONDS = 8.0
OURS = ("INVITATIONS_", "CELERY_", "FLOWER_")


class DemoError(Exception):
    """The demo cannot go on; the message says why, and what to do where something can be done."""


class Processes:
    """Starts Python modules as processes that work in `folder`, and ends them by their ids.

    Each has a session of its own: a Ctrl-C at the terminal reaches the demo alone, which ends them in order.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *arguments: str, **variables: str) -> None:
        """Runs `python -m` with these arguments; `variables` are for this process alone."""
        with signals_wait(), self._log(name).open("wb") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=self._folder,
                env={**self._environment, **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def check(self) -> None:
        """Raises DemoError, with the end of its log, where a process has ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise DemoError(self._told(name, f"ended early with code {process.returncode}"))

    def finish(self, name: str, *, seconds: float) -> str:
        """Waits for the end of a process that has one, and returns what it printed.

        Raises:
            DemoError: it failed, or takes longer than `seconds`; with the end of its log.
        """
        try:
            code = self._running[name].wait(seconds)
        except subprocess.TimeoutExpired:
            raise DemoError(self._told(name, f"takes longer than {seconds:g} s")) from None
        del self._running[name]
        if code:
            raise DemoError(self._told(name, f"failed with code {code}"))
        return self._log(name).read_text("utf-8")

    def stop(self) -> None:
        """Ends all together: SIGTERM first, and SIGKILL for what is still there after eight seconds."""
        ending = tuple(self._running.values())
        for process in ending:
            process.terminate()
        deadline = time.monotonic() + END_SECONDS
        for process in ending:
            try:
                process.wait(max(0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _log(self, name: str) -> Path:
        return self._folder / f"{name.replace(' ', '-')}.log"

    def _told(self, name: str, what: str) -> str:
        lines = self._log(name).read_text("utf-8", errors="replace").splitlines()[-TAIL_LINES:]
        return "\n".join([f"The {name} {what}. The end of its log:", *(f"  {scrub(line)}" for line in lines)])


def clean_environment() -> dict[str, str]:
    """The environment without settings of ours, Celery's and Flower's, which would change the demo."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
