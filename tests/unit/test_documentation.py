"""What exists is documented: settings with their defaults, states, metrics, fields of a job and of an account."""

import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

import worker.metrics  # noqa: F401 - registers what it counts
from config.accounts import BaseAccount, FeedbackcompanyAccount, WebwinkelkeurAccount, WemasyAccount
from config.settings import PREFIX, Settings
from tasks.job import Customer, Job, Product
from tasks.states import MEANINGS
from worker.gauges import ACCOUNT_GAUGES, GAUGES
from worker.records import STATES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
EXAMPLE = (ROOT / "config" / "accounts.example.toml").read_text("utf-8")
NO_FIXED_DEFAULT = {"redis_url", "secrets_dir", "encryption_keys", "health_file", "ca_file", "flower_basic_auth"}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_stands_in_the_readme_with_its_default_and_meaning(name: str) -> None:
    row = re.search(rf"^\| `{PREFIX}{name.upper()}` \| (.*?) \| (.+) \|$", README, re.MULTILINE)

    assert row, f"{PREFIX}{name.upper()} has no row"
    assert row[2] == Settings.model_fields[name].description
    if name not in NO_FIXED_DEFAULT:
        assert row[1] == f"`{Settings.model_fields[name].default}`"


def test_no_setting_is_documented_that_does_not_exist() -> None:
    documented = set(re.findall(rf"^\| `{PREFIX}(\w+)` \|", README, re.MULTILINE))

    assert documented == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("state", STATES)
def test_every_state_stands_in_the_readme_with_its_meaning(state: str) -> None:
    text, final = MEANINGS[state]

    assert f"| `{state}` | {text} | {final + ' ' if final else ''}|" in README


@pytest.mark.parametrize("field", [*Job.model_fields, *Customer.model_fields, *Product.model_fields])
def test_every_field_of_a_job_stands_in_the_readme(field: str) -> None:
    assert f"`{field}`" in README


@pytest.mark.parametrize("model", [BaseAccount, WebwinkelkeurAccount, WemasyAccount, FeedbackcompanyAccount])
def test_every_field_of_an_account_stands_in_the_example(model: type[BaseAccount]) -> None:
    for field in set(model.model_fields) - {"name"}:
        assert re.search(rf"\b{field} =", EXAMPLE), field


def test_every_metric_stands_in_the_readme() -> None:
    gauges = {f"invitations_{name}" for name, _ in ACCOUNT_GAUGES + GAUGES}
    counters = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in REGISTRY.collect()
        if family.name.startswith("invitations")
    }

    assert counters
    for name in gauges | counters:
        assert f"`{name}`" in README, name


def test_every_snippet_of_the_providers_readme_stands_in_the_package_that_is_tested() -> None:
    guide = (ROOT / "tasks" / "providers" / "README.md").read_text("utf-8")
    files = [*(ROOT / "tests" / "outside").rglob("*.*"), Path(__file__).with_name("test_conformance.py")]
    tested = [_lines(file.read_text("utf-8")) for file in files if file.suffix in (".py", ".toml")]

    snippets = re.findall(r"^ *```(?:python|toml)\n(.+?)^ *```$", guide, re.MULTILINE | re.DOTALL)

    assert snippets
    for snippet in snippets:
        assert any(_lines(snippet) in text for text in tested), snippet


def _lines(text: str) -> str:
    """Without indentation and empty lines."""
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())
