"""The sample file: what the program makes, and every line an order that its account's provider takes."""

import io
from collections import defaultdict
from pathlib import Path

import pytest

from config.accounts import Account
from ops.cli.rows import csv_rows
from ops.demo.places import Places
from ops.samples.orders import FILE, ORDERS, write_orders
from tasks.job import Job
from tasks.providers import PROVIDERS
from tasks.providers.carries import faults_for

NOW_MS = 1_780_000_000_000


@pytest.fixture
def accounts(tmp_path: Path) -> dict[str, Account]:
    """The accounts of the demo, by name."""
    places = Places(tmp_path, redis_port=1, simulator_port=2, flower_port=3, metrics_ports=(4, 5))
    return {account.name: account for account in places.accounts()}


@pytest.fixture(scope="module")
def jobs() -> list[Job]:
    """The jobs of the file, read as `invitations import` reads them."""
    with FILE.open(encoding="utf-8-sig", newline="") as lines:
        return [Job.read(row.job) for row in csv_rows(lines, None)]


def test_the_file_is_what_the_program_makes() -> None:
    made = io.StringIO()
    write_orders(made)
    assert FILE.read_text("utf-8") == made.getvalue()


def test_every_order_is_taken_by_its_provider(jobs: list[Job], accounts: dict[str, Account]) -> None:
    faults = [
        fault
        for job in jobs
        for account in [accounts[job.account]]
        for fault in [*job.faults_at(NOW_MS, account.zone), *faults_for(account, job)]
    ]
    assert len(jobs) == ORDERS
    assert faults == []


def test_every_provider_gets_every_field_that_it_carries(jobs: list[Job], accounts: dict[str, Account]) -> None:
    shown: defaultdict[str, set[str]] = defaultdict(set)
    for job in jobs:
        shown[accounts[job.account].provider] |= job.model_fields_set
    missing = {name: PROVIDERS[name].carries - fields for name, fields in shown.items()}
    assert missing == {"webwinkelkeur": set(), "wemasy": set(), "feedbackcompany": set()}


def test_no_customer_is_a_real_person_and_none_is_there_twice(jobs: list[Job]) -> None:
    assert {job.email.partition("@")[2] for job in jobs} == {"example.com"}
    assert len({job.email for job in jobs}) == ORDERS


def test_every_delay_that_is_waited_out_here_lasts_seconds(jobs: list[Job], accounts: dict[str, Account]) -> None:
    waited = {
        job.delay.unit
        for job in jobs
        if job.delay and not PROVIDERS[accounts[job.account].provider].schedules(job.delay)
    }
    assert waited == {"seconds"}
