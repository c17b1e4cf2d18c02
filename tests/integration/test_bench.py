"""One scenario of the benchmark, whole and small: `make bench` does this at length."""

import json
import math
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from ops.bench.__main__ import app
from ops.bench.figures import OURS
from ops.bench.results import read
from tests.integration.processes import ROOT, environment


def test_a_quick_run_measures_real_workers_and_leaves_a_table(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ops.bench", "latency", "--quick", "--only-ours", "--results", str(tmp_path)]

    ran = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=110, check=False)

    assert ran.returncode == 0, ran.stderr
    results = read(tmp_path)
    assert results is not None
    p50, p99 = results.figures["latency"]
    assert (p50.who, p50.what, p50.measure) == (OURS, "enqueued to called", "p50")
    assert 0 < p50.value <= p99.value < math.inf
    table = (tmp_path / "table.md").read_text("utf-8")
    assert "|  |  | p50, ms | p99, ms | met |" in table
    assert json.loads((tmp_path / "results.json").read_text("utf-8"))["conditions"]["Python"] in table


def test_what_it_does_not_know_it_says() -> None:
    ran = CliRunner().invoke(app, ["nonsense"])

    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "no scenario is named nonsense" in ran.stderr
