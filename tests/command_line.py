"""The `invitations` command as people run it: within this process, as one of its own, on a terminal."""

import json
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from config.accounts_file import accounts
from config.settings import settings
from ops.cli import main
from tasks.acceptance import acceptance
from tests.support import free_port, wait_until
from worker.connection import redis
from worker.ledger import ledger

NOT_SHOWN = "not shown"
ROOT = Path(__file__).resolve().parents[1]
ACCOUNTS = """
[accounts.shop_nl]
provider = "webwinkelkeur"
shop_id = 1
code = "canary-code"

[accounts.portal]
provider = "wemasy"
token = "canary-token"
limit = "60/minute"

[accounts.reviews]
provider = "feedbackcompany"
client_id = "canary-client"
client_secret = "canary-secret"
limit_group = "acme"
"""
CACHES: tuple[Callable[[], Any], ...] = (settings, accounts, redis, ledger, acceptance)


@dataclass(frozen=True)
class Ended:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The JSON on standard output, which is one line."""
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)


class CommandLine:
    """Runs commands in a folder of their own, which holds the accounts file and nothing else of ours."""

    def __init__(
        self,
        redis_url: str,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self.folder = folder
        self.redis_url = redis_url
        self._patch = monkeypatch
        self._capsys = capsys
        for name in [name for name in os.environ if name.startswith("INVITATIONS_")]:
            monkeypatch.delenv(name)
        monkeypatch.chdir(folder)
        self.write("accounts.toml", ACCOUNTS)
        self.set("ACCOUNTS_FILE", str(folder / "accounts.toml"))
        self.set("REDIS_URL", redis_url)

    def set(self, name: str, value: str) -> None:
        """A setting, by its variable without prefix."""
        self._patch.setenv(f"INVITATIONS_{name}", value)
        forget()

    def take_redis_away(self) -> None:
        self.set("REDIS_URL", f"redis://:canary-password@127.0.0.1:{free_port()}/0")

    def write(self, name: str, content: str | bytes) -> str:
        """A file in the folder. Returns its path."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def __call__(self, *arguments: str) -> Ended:
        """Within this process."""
        self._patch.setattr(sys, "argv", ["invitations", *arguments])
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self._capsys.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    def process(self, *arguments: str, stdin: bytes = b"") -> Ended:
        """As a process of its own, in a pipe."""
        ran = subprocess.run(
            [sys.executable, "-m", "ops.cli", *arguments],
            input=stdin,
            capture_output=True,
            env=self._environment(),
            check=False,
            timeout=60,
        )
        return Ended(ran.returncode, ran.stdout.decode(), ran.stderr.decode())

    def dialog(self, *arguments: str, answers: list[tuple[str, str]]) -> tuple[int, str]:
        """As a process of its own on a terminal of its own: its exit code, and what it showed. Each answer is typed
        once it has shown what stands before it."""
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-m", "ops.cli", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env=self._environment(TERM="xterm-256color", COLUMNS="160"),
        ) as running:
            os.close(theirs)
            try:
                shown = b""
                for prompt, answer in answers:
                    asked = read_terminal(ours, prompt.encode())
                    shown += asked
                    assert prompt.encode() in asked, shown.decode()
                    if NOT_SHOWN in prompt:
                        # What is typed before the terminal shows it no longer is thrown away.
                        wait_until(lambda: not termios.tcgetattr(ours)[3] & termios.ECHO, seconds=20, what=prompt)
                    os.write(ours, f"{answer}\n".encode())
                shown += read_terminal(ours)
            except BaseException:
                running.kill()
                raise
        os.close(ours)
        return running.returncode, shown.decode()

    def on_terminal(
        self, *arguments: str, answer: str = "", interrupt_at: str = "", **variables: str
    ) -> tuple[int, str]:
        """As a process of its own on a terminal: its exit code, and what it showed.

        `answer` is typed at its start, Ctrl-C as soon as it showed `interrupt_at`.
        """
        ours, theirs = pty.openpty()
        os.write(ours, answer.encode())
        with subprocess.Popen(
            [sys.executable, "-m", "ops.cli", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=self._environment(TERM="xterm-256color", COLUMNS="160", **variables),
        ) as running:
            os.close(theirs)
            try:
                shown = read_terminal(ours, interrupt_at.encode())
                if interrupt_at:
                    running.send_signal(signal.SIGINT)
                    shown += read_terminal(ours)
            except BaseException:
                running.kill()
                raise
        os.close(ours)
        return running.returncode, shown.decode()

    def _environment(self, **variables: str) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT), **variables}


def forget() -> None:
    """This process reads its settings, accounts and connections afresh."""
    for cached in CACHES:
        cached.cache_clear()  # type: ignore[attr-defined]


def read_terminal(terminal: int, until: bytes = b"") -> bytes:
    """What a terminal shows until `until` is there, or until its other end is closed."""
    shown = b""
    while not (until and until in shown):
        try:
            more = os.read(terminal, 65_536)
        except OSError:
            # What Linux says when the other end of a terminal is closed.
            more = b""
        if not more:
            break
        shown += more
    return shown
