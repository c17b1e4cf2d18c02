"""The processes of the benchmark: started in sessions of their own, measured through /proc, and ended by their ids."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ops.demo.signals import signals_wait

TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TAIL_LINES = 15
END_SECONDS = 8.0
CALM_SECONDS = 0.5
CALM_CPU_SECONDS = 0.1
START_SECONDS = 60.0


class BenchError(Exception):
    """The benchmark cannot go on; the message says why."""


class Group:
    """Processes that are started together, with all that they fork. Linux alone has the /proc that this reads."""

    def __init__(self, folder: Path, commands: Sequence[Sequence[str]], environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._commands = commands
        self._environment = {**os.environ, **environment}
        self._log = folder / f"{time.monotonic_ns()}.log"
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Starts all; a signal meanwhile waits, so that none is lost sight of."""
        with signals_wait(), self._log.open("wb") as log:
            for command in self._commands:
                self._started.append(
                    subprocess.Popen(
                        list(command),
                        env=self._environment,
                        cwd=self._folder,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
                )

    def cpu_seconds(self) -> float:
        """User and system time of all of them, and of their children that ended."""
        return sum(sum(map(int, fields[11:15])) for fields in self._stats()) / TICKS

    def memory_bytes(self) -> int:
        """Resident memory of all of them."""
        return sum(int(fields[21]) for fields in self._stats()) * PAGE_BYTES

    def freeze(self) -> None:
        """Nothing of them runs until `thaw`: what is put before them meanwhile, they find all at once."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def wait_until_calm(self) -> None:
        """Returns when they have started, that is when they hardly work any more.

        Raises:
            BenchError: one of them ended, or they still work after a minute.
        """
        deadline = time.monotonic() + START_SECONDS
        before = -1.0
        while (now := self.cpu_seconds()) - before > CALM_CPU_SECONDS or now < 2 * CALM_CPU_SECONDS:
            self.check()
            if time.monotonic() > deadline:
                raise BenchError(
                    f"Workers that were started do not come to rest. The end of their log:\n{self._tail()}"
                )
            before = now
            time.sleep(CALM_SECONDS)

    def check(self) -> None:
        """Raises BenchError, with the end of their log, where one has ended."""
        for process in self._started:
            if process.poll() is not None:
                raise BenchError(f"A process ended early with code {process.returncode}. Its log ends:\n{self._tail()}")

    def kill(self, number: int = 0) -> None:
        """SIGKILL to one of them and to all that it started, as a power cut."""
        with suppress(ProcessLookupError):
            os.killpg(self._started[number].pid, signal.SIGKILL)
        self._started[number].wait()

    def terminate(self, number: int = 0) -> None:
        """SIGTERM to one of them."""
        self._started[number].terminate()

    def end(self) -> None:
        """SIGTERM for all, and SIGKILL for what is left of them after eight seconds."""
        self.thaw()
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + END_SECONDS
        for number, process in enumerate(self._started):
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0, deadline - time.monotonic()))
            self.kill(number)

    def _signal(self, what: signal.Signals) -> None:
        for process in self._started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, what)

    def _stats(self) -> list[list[str]]:
        """The fields behind the name in /proc/PID/stat, of every process of these sessions."""
        sessions = {str(process.pid) for process in self._started}
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = path.read_text("utf-8").rpartition(")")[2].split()
                if fields[3] in sessions:
                    found.append(fields)
        return found

    def _tail(self) -> str:
        return "\n".join(self._log.read_text("utf-8", errors="replace").splitlines()[-TAIL_LINES:])
