"""The benchmark's peers say what they are and how they are started, where none of them is installed."""

import json
import re
import subprocess
import sys
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

import pytest

from ops.bench.peer import Load, Peer
from ops.bench.peers import HERE, PEERS, PYTHON
from ops.bench.peers.enqueuer import Enqueuer, PeerError
from ops.bench.peers.installed import installed_version

LOAD = Load("redis://127.0.0.1:6379/0", "http://127.0.0.1:8080/invite", "token", 3, 20, 20, 1.0)
LIBRARIES = ["aiohttp", "arq", "celery", "dramatiq", "gevent", "huey", "taskiq", "taskiq_redis"]


@pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS)
def test_every_peer_says_what_it_needs_and_how_it_is_started(peer: Peer) -> None:
    commands = peer.worker_commands(LOAD)
    told = peer.environment(LOAD)

    assert peer.packages
    assert all(command[: len(PYTHON)] == [*PYTHON] or command[0] == "node" for command in commands)
    assert all(module_file(command).is_file() for command in commands)
    assert json.loads(told["BENCH_LOAD"]) == asdict(LOAD)


def module_file(command: list[str]) -> Path:
    """The file of this project that the command has its worker load."""
    if command[0] == "node":
        return Path(command[1])
    module = re.search(r"ops\.bench\.peers\.(\w+)", " ".join(command))
    return HERE / f"{module[1] if module else None}.py"


def test_naming_the_peers_loads_none_of_their_libraries() -> None:
    code = f"import sys, ops.bench.peers; print([name for name in {LIBRARIES} if name in sys.modules])"

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert shown.stdout == "[]\n"


def test_a_version_is_that_of_the_installed_package() -> None:
    assert installed_version("celery") == metadata.version("celery")
    assert installed_version("no-such-package") is None


def test_an_enqueuer_answers_with_the_seconds_that_its_process_says() -> None:
    code = "import sys, json; [print(len(json.loads(line)[1]) / 4, flush=True) for line in sys.stdin]"
    enqueuer = Enqueuer("sample", [sys.executable, "-c", code], {}, LOAD.redis_url)

    seconds = [enqueuer.enqueue("token", [{}] * count) for count in (1, 3)]
    enqueuer.close()

    assert seconds == [0.25, 0.75]


def test_an_enqueuer_whose_process_ended_says_which_peer_it_was() -> None:
    enqueuer = Enqueuer("sample", [sys.executable, "-c", ""], {}, LOAD.redis_url)

    with pytest.raises(
        PeerError, match=r"^sample did not enqueue; what its process wrote before this line says why\.$"
    ):
        enqueuer.enqueue("token", [{}])
    enqueuer.close()
