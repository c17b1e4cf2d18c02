"""The program as it stood at a commit, and a Python that has what it needs."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.integration.processes import ROOT

LOCK = "requirements.lock"


@dataclass(frozen=True, slots=True)
class Tree:
    """One version of this project: its folder, and the interpreter that runs it."""

    name: str
    root: Path
    python: str

    def environment(self, settings: dict[str, str]) -> dict[str, str]:
        return {**settings, "PYTHONPATH": str(self.root)}


def this_tree() -> Tree:
    return Tree("new", ROOT, sys.executable)


def tree_at(ref: str, folder: Path) -> Tree:
    """The files of that commit, in `folder`. Where it is locked to other packages, in an environment of its own.

    Raises:
        SystemExit: there is no such commit here.
    """
    root = folder / "tree"
    root.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", ref], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        raise SystemExit(f"{ref}: no commit or tag of this repository; fetch it first: git fetch --tags --unshallow")
    subprocess.run(["tar", "-x", "-C", str(root)], input=archive.stdout, check=True)
    if (root / LOCK).read_bytes() == (ROOT / LOCK).read_bytes():
        return Tree("old", root, sys.executable)
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    python = str(environment / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", "--require-hashes", "-r", str(root / LOCK)], check=True)
    return Tree("old", root, python)
