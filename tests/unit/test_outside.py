"""Entry points of other distributions: what cannot be used is told by distribution and entry point."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.errors import ConfigurationError
from config.outside import models, outside
from tasks.providers import BUILT_IN, PROVIDERS
from tests.command_line import ROOT
from tests.outside.acme_invitations.array import AcmeArray, ArrayAccount

BEGINNING = """
from typing import Literal
from config.accounts import BaseAccount
from tasks.providers.base import Provider, Request
from tests.outside.acme_invitations.array import AcmeArray, ArrayAccount

class Account(BaseAccount):
    provider: Literal["acme"]
"""
ENTRY = "acme 2.1, entry point {} of invitations.providers: "

Bring = Callable[..., None]


@pytest.fixture
def bring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bring]:
    """Installs a distribution `acme` with one module and these entry points, into a folder of its own."""

    def install(code: str, **entries: str) -> None:
        (tmp_path / "acme_of_a_test.py").write_text(BEGINNING + code)
        info = tmp_path / "acme-2.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 2.1\n")
        lines = [f"{name} = {place}" for name, place in entries.items()]
        (info / "entry_points.txt").write_text("\n".join(["[invitations.providers]", *lines]))
        monkeypatch.syspath_prepend(tmp_path)
        outside.cache_clear()

    yield install
    sys.modules.pop("acme_of_a_test", None)
    outside.cache_clear()


def test_a_provider_from_outside_stands_beside_ours(bring: Bring) -> None:
    bring("", acme="tests.outside.acme_invitations.array:AcmeArray")

    assert set(PROVIDERS) == {*BUILT_IN, "acme_array"}
    assert len(PROVIDERS) == len(BUILT_IN) + 1
    assert isinstance(PROVIDERS["acme_array"], AcmeArray)
    assert models()["acme_array"] is ArrayAccount
    assert PROVIDERS["acme_array"] is PROVIDERS["acme_array"]


def test_without_any_there_are_ours_alone() -> None:
    assert set(PROVIDERS) == set(BUILT_IN) == set(models())
    assert "acme_array" not in PROVIDERS


@pytest.mark.parametrize(
    ("code", "place", "expected"),
    [
        ("", "nowhere_at_all:Acme", "cannot be loaded (ModuleNotFoundError: No module named 'nowhere_at_all')"),
        (
            "",
            "acme_of_a_test:Acme",
            "cannot be loaded (AttributeError: module 'acme_of_a_test' has no attribute 'Acme')",
        ),
        ("raise OSError('s3cret')", "acme_of_a_test:Acme", "cannot be loaded (OSError)"),
        ("this is no Python", "acme_of_a_test:Acme", "cannot be loaded (SyntaxError)"),
        ("Acme = AcmeArray()", "acme_of_a_test:Acme", "expected a subclass of tasks.providers.base.Provider"),
        ("Acme = Account", "acme_of_a_test:Acme", "expected a subclass of tasks.providers.base.Provider"),
        ("Acme = {}", "acme_of_a_test:Acme", "expected a subclass of tasks.providers.base.Provider"),
        (
            "class Acme(Provider[Account]): account_model = Account",
            "acme_of_a_test:Acme",
            "its class lacks authorise, invitation, read, schedules, carries",
        ),
        (
            "class Acme(AcmeArray): account_model = 5",
            "acme_of_a_test:Acme",
            "its account_model: expected a subclass of config.accounts.BaseAccount",
        ),
        (
            "class Acme(AcmeArray): account_model = BaseAccount",
            "acme_of_a_test:Acme",
            'its account_model: expected a field provider: Literal["name"]',
        ),
        (
            "class Acme(AcmeArray):\n  account_model = Account\n  lists = True",
            "acme_of_a_test:Acme",
            "its account_model: expected the same `lists` as its provider has",
        ),
        (
            "class Acme(AcmeArray):\n  account_model = Account\n  def __init__(self): raise ValueError('s3cret')",
            "acme_of_a_test:Acme",
            "cannot be loaded (ValueError)",
        ),
        (
            "class Acme(AcmeArray):\n"
            "  class account_model(BaseAccount):\n    provider: Literal['wemasy', 'new', 'trustprofile']",
            "acme_of_a_test:Acme",
            "the provider wemasy is of this project already; the provider trustprofile is of this project already",
        ),
    ],
)
def test_what_cannot_be_used_is_told_by_distribution_and_entry_point(
    bring: Bring, code: str, place: str, expected: str
) -> None:
    bring(code, one=place)

    with pytest.raises(ConfigurationError) as refused:
        models()

    assert refused.value.faults == [ENTRY.format("one") + expected]


def test_every_one_that_cannot_be_used_is_told_at_once_and_two_of_one_name_clash(bring: Bring) -> None:
    array = "tests.outside.acme_invitations.array:AcmeArray"
    bring("", b_first=array, c_second=array, a_lost="nowhere_at_all:Acme")

    with pytest.raises(ConfigurationError) as refused:
        outside()

    assert refused.value.faults == [
        ENTRY.format("a_lost") + "cannot be loaded (ModuleNotFoundError: No module named 'nowhere_at_all')",
        ENTRY.format("c_second")
        + "the provider acme_array is of acme 2.1, entry point b_first of invitations.providers already",
    ]


def test_its_module_may_be_the_first_to_import_ours(bring: Bring, tmp_path: Path) -> None:
    bring("class Acme(AcmeArray): account_model = Account", acme="acme_of_a_test:Acme")
    code = (
        "import acme_of_a_test as own; from tasks.providers import PROVIDERS as P; print(type(P['acme']) is own.Acme)"
    )

    printed = subprocess.check_output(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"}, text=True
    )

    assert printed == "True\n"
