"""The units as systemd reads them: `make manifests`."""

import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "ops" / "systemd"
NAMES = sorted(path.name for path in UNITS.glob("*.service"))
INSTALLED = "/opt/invitations/bin"
MOST_EXPOSED = 15
"""Of 100, as systemd counts."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The units, with a program that is there."""
    units = tmp_path / "units"
    shutil.copytree(UNITS, units)
    program = tmp_path / "celery"
    program.write_text("#!/bin/sh\n", "utf-8")
    program.chmod(0o755)
    for name in NAMES:
        unit = units / name
        unit.write_text(unit.read_text("utf-8").replace(INSTALLED, str(tmp_path)), "utf-8")
    return units


def analyze(*arguments: str) -> tuple[int, str]:
    ran = subprocess.run(
        ["systemd-analyze", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


@pytest.mark.parametrize("name", NAMES)
def test_systemd_finds_no_fault(folder: Path, name: str) -> None:
    code, said = analyze("verify", "--recursive-errors=no", "--man=no", str(folder / name))

    assert (code, [line for line in said.splitlines() if "invitations" in line]) == (0, [])


def test_the_check_finds_a_fault(folder: Path) -> None:
    unit = folder / "invitations-beat.service"
    unit.write_text(unit.read_text("utf-8") + "Retsart=always\n", "utf-8")

    _, said = analyze("verify", "--recursive-errors=no", "--man=no", str(unit))

    assert "Retsart" in said


@pytest.mark.parametrize("name", NAMES)
def test_what_a_unit_may_do_is_little(folder: Path, name: str) -> None:
    code, said = analyze("security", "--offline=yes", f"--threshold={MOST_EXPOSED}", "--no-pager", str(folder / name))

    assert code == 0, said
