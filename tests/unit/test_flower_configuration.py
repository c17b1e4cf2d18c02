"""Flower's start and its configuration: from where it takes what, and what keeps it from starting."""

import runpy
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
import flower.options  # type: ignore[import-untyped]
import pytest
from tornado.options import options

from config.settings import settings
from worker.dashboard import NO_STORE, PORT_TAKEN, prepare_flower

FILE = Path(__file__).parents[2] / "config" / "flower.py"
assert flower.options.options is options


@pytest.fixture(autouse=True)
def _settings_of_the_test_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    settings.cache_clear()
    yield
    settings.cache_clear()


def start() -> None:
    """What happens when Flower starts, but for what it would change in this process."""
    with click.Context(click.Command("flower")), patch("worker.flower_events.take_over"):
        prepare_flower()


def configured() -> dict[str, Any]:
    """What Flower takes of the file."""
    return {name: value for name, value in runpy.run_path(str(FILE)).items() if name in options}


def test_a_variable_of_flower_overrules_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert configured()["address"] == "127.0.0.1"

    monkeypatch.setenv("FLOWER_ADDRESS", "0.0.0.0")

    assert "address" not in configured()


@pytest.mark.parametrize(
    ("own", "asked"), [([], ["jan:pass:word", "piet:other"]), (["own:login"], ["own:login"])], ids=["none", "its own"]
)
def test_the_login_comes_from_a_file_in_the_secrets_folder_unless_flower_has_one(
    own: list[str], asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "INVITATIONS_FLOWER_BASIC_AUTH").write_text("jan:pass:word,piet:other\n")
    monkeypatch.setenv("INVITATIONS_SECRETS_DIR", str(tmp_path))
    monkeypatch.setattr(options.mockable(), "basic_auth", own)

    start()

    assert options.basic_auth == asked
    assert "pass" not in repr(settings())


@pytest.mark.parametrize("may_write", [True, False])
def test_by_default_it_keeps_what_it_saw_where_that_folder_can_be_written(
    may_write: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, _: may_write and path == Path("/var/lib/invitations"))

    assert configured()["persistent"] is may_write
    assert configured()["db"] == "/var/lib/invitations/flower"


def test_told_where_it_keeps_it_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVITATIONS_FLOWER_DB", str(tmp_path / "flower"))

    assert (configured()["persistent"], configured()["db"]) == (True, str(tmp_path / "flower"))


def test_it_does_not_start_where_it_could_not_keep_what_it_saw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"basic_auth": ["a:b"], "persistent": True, "db": str(tmp_path / "nowhere" / "x")}.items():
        monkeypatch.setattr(options.mockable(), name, value)

    with pytest.raises(SystemExit) as stopped:
        start()

    assert stopped.value.code == NO_STORE % (tmp_path / "nowhere" / "x")


def test_it_does_not_start_on_a_port_that_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        for name, value in {"basic_auth": ["a:b"], "persistent": False, "address": "127.0.0.1", "port": port}.items():
            monkeypatch.setattr(options.mockable(), name, value)

        with pytest.raises(SystemExit) as stopped:
            start()

    assert stopped.value.code == PORT_TAKEN % (port, "127.0.0.1")
