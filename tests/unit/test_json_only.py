"""JSON alone comes in and goes out: nothing that runs what it reads can be reached."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.options import OptionParser

from worker.app import app

ROOT = Path(__file__).parents[2]
PACKAGES = ("config", "worker", "tasks", "ops")
READS_CODE = {
    "pickle",
    "cPickle",
    "_pickle",
    "dill",
    "cloudpickle",
    "shelve",
    "marshal",
    "yaml",
    "jsonpickle",
    "joblib",
}
RUNS_CODE = {"eval", "exec", "compile", "__import__"}


def names(tree: ast.AST) -> Iterator[str]:
    """What a module imports, and what it calls by a bare name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_reads_or_runs_code(package: str) -> None:
    found = {
        (file.name, name)
        for file in (ROOT / package).rglob("*.py")
        for name in names(ast.parse(file.read_text("utf-8")))
        if name in READS_CODE | RUNS_CODE
    }

    assert list((ROOT / package).rglob("*.py"))
    assert found == set()


def test_celery_takes_and_writes_json_alone() -> None:
    conf = app.conf

    assert (conf.task_serializer, conf.result_serializer, conf.event_serializer) == ("json", "json", "json")
    assert list(conf.accept_content) == ["json"]
    assert conf.result_accept_content is None, "results are taken as accept_content says"
    backend: Any = app.backend
    assert set(backend.accept) == {"application/json"}


def test_flower_keeps_nothing_on_disk() -> None:
    options = OptionParser()
    for name, default in {"address": "", "tasks_columns": "", "natural_time": True, "max_tasks": 0}.items():
        options.define(name, default)
    options.define("purge_offline_workers", type=int)
    options.define("persistent", default=True)

    options.parse_config_file(str(ROOT / "config" / "flower.py"))

    assert options.persistent is False
