"""The pages: what the code says stands in them, every link leads somewhere, and nothing in them is left untried."""

import re

import pytest
from prometheus_client import REGISTRY

from config.accounts import BaseAccount
from config.settings import PREFIX, Settings
from ops.contract.document import asyncapi
from ops.docs.generated import MODELS, PARTS, PLACE, ROOT, account_meanings, command_names, filled
from ops.docs.tables import default
from tasks.job import Customer, Job, Product, ReplyTo
from tasks.providers import PROVIDERS
from tasks.states import MEANINGS
from tests.docs.book import DOCS, PAGES, blocks
from worker.gauges import ACCOUNT_GAUGES, GAUGES
from worker.records import STATES

README = (ROOT / "README.md").read_text("utf-8")
TEXTS = {name: filled(page.read_text("utf-8")) for name, page in PAGES.items()}
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
RUN = {"sh", "python", "text", "json"}


def slugs(text: str) -> set[str]:
    """The anchors of a page, as GitHub and MyST make them of its headings."""
    plain = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = (re.sub(r"[`*]", "", heading).lower() for heading in HEADING.findall(plain))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


def rows(page: str) -> dict[str, list[str]]:
    """The lines of all tables of a page by their first cell, without its backticks."""
    lines = [line.strip("| ") for line in TEXTS[page].splitlines() if line.startswith("|")]
    return {cells[0].strip("`"): cells for line in lines if (cells := [cell.strip() for cell in line.split(" | ")])}


def test_all_that_the_code_writes_stands_on_one_page() -> None:
    places = [name for page in PAGES.values() for name in PLACE.findall(page.read_text("utf-8"))]

    assert sorted(places) == sorted(PARTS)


def test_every_setting_is_there_with_the_readmes_default() -> None:
    told = rows("reference/settings.md")

    for name, field in Settings.model_fields.items():
        variable, given, meaning = told[PREFIX + name.upper()]
        assert field.description
        assert f"| {variable} | {given} | {meaning} |" in README
        assert meaning == field.description


def test_every_provider_has_a_table() -> None:
    assert {*MODELS, "trustprofile"} == set(PROVIDERS)


@pytest.mark.parametrize("model", [BaseAccount, *MODELS.values()])
def test_every_field_of_an_account_is_there_with_a_meaning(model: type[BaseAccount]) -> None:
    told = rows("reference/accounts.md")

    for name in set(model.model_fields) - {"name"}:
        assert told[name][2] == account_meanings()[name]


@pytest.mark.parametrize("model", [Job, Customer, Product, ReplyTo])
def test_every_field_of_a_job_is_there_with_a_meaning(model: type[Job | Customer | Product | ReplyTo]) -> None:
    told = rows("reference/jobs.md")

    for name, field in model.model_fields.items():
        assert field.description
        assert name in told


def test_every_state_is_there_with_its_meaning() -> None:
    told = rows("reference/answers.md")

    assert list(MEANINGS) == list(STATES)
    assert {name: told[name][1] for name in STATES} == {name: MEANINGS[name].text for name in STATES}


@pytest.mark.parametrize("command", command_names())
def test_every_command_is_there_with_its_help(command: str) -> None:
    text = TEXTS["reference/commands.md"]

    assert f"\n## invitations {command}\n\n```text\nUsage: invitations {command} " in text
    assert f"  invitations {command}" in text.partition(f"## invitations {command}\n")[2]


def test_every_metric_is_there() -> None:
    counted = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in REGISTRY.collect()
        if family.name.startswith("invitations")
    }

    told = {name for name in rows("reference/metrics.md") if name.startswith("invitations")}

    assert told == counted | {f"invitations_{name}" for name, _ in ACCOUNT_GAUGES + GAUGES}


def test_every_public_place_is_there() -> None:
    told = rows("reference/places.md")

    assert {channel["address"] for channel in asyncapi()["channels"].values()} <= set(told)
    assert "invitations.send" in told


def test_no_default_is_shown_as_python_writes_it() -> None:
    assert default(Settings.model_fields["flower_db"]) == "`/var/lib/invitations/flower`"
    assert default(Settings.model_fields["encryption_keys"]) == "none"
    assert default(Job.model_fields["email"]) == "required"
    assert default(Job.model_fields["invite"]) == "`true`"


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_to_a_file_and_a_heading(name: str) -> None:
    page = PAGES[name]
    for link in LINK.findall(TEXTS[name]):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), link
        if anchor:
            is_ours = target.is_relative_to(DOCS)
            text = TEXTS[str(target.relative_to(DOCS))] if is_ours else target.read_text("utf-8")
            assert anchor in slugs(text), link


@pytest.mark.parametrize("name", PAGES)
def test_every_block_of_code_is_one_that_is_run_or_written(name: str) -> None:
    """Whatever begins or ends a block counts: also one that the tests would not find."""
    page = PAGES[name]
    fences = re.findall(r"^ *[`~]{3,}(.*)", page.read_text("utf-8"), re.MULTILINE)
    found = blocks(page)

    assert len(fences) == 2 * (len(found) + fences.count("{toctree}"))
    assert all(block.file or block.language in RUN for block in found)


def test_every_page_is_in_the_table_of_contents() -> None:
    index = (DOCS / "index.md").read_text("utf-8")

    assert {name.removesuffix(".md") for name in PAGES} - {"index"} <= set(index.split())


def test_the_readme_leads_here() -> None:
    assert "](ops/docs/index.md)" in README


def test_the_help_of_make_tells_of_it() -> None:
    assert re.search(r'^\t@echo "make docs ', (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
