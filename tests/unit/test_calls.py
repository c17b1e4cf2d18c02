"""Every call to a provider is measured, by what it came to."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY

from config.accounts import Account, WebwinkelkeurAccount
from ops.simulator import RunningSimulator, SimulatorOptions
from tasks.calls import MeasuredPipeline
from tasks.job import Job
from tests.contract.conftest import MemoryTokens
from tests.support import free_port

JOB = Job.read({"account": "shop", "email": "jane@example.com", "order": "1001"})
WITHOUT_ORDER = Job.read({"account": "shop", "email": "jane@example.com"})
SINCE = datetime(2026, 1, 1, tzinfo=UTC)

Call = Callable[[MeasuredPipeline, Account], object]


@pytest.fixture(params=[True], ids=["consent"])
def provider(request: pytest.FixtureRequest) -> Iterator[str]:
    """A provider's address; its customers agree, or do not."""
    with RunningSimulator(SimulatorOptions(port=0, has_consent=request.param)) as simulator:
        yield simulator.url


def shop(base_url: str) -> WebwinkelkeurAccount:
    fields = {"name": "shop", "provider": "webwinkelkeur", "shop_id": 1, "code": "c", "base_url": base_url}
    return WebwinkelkeurAccount.model_validate(fields)


def measured() -> dict[str, float]:
    """How often each outcome was measured of this provider."""
    return {
        sample.labels["outcome"]: sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name == "invitations_provider_request_seconds_count"
        if sample.labels["provider"] == "webwinkelkeur"
    }


def after(call: Call, address: str) -> dict[str, float]:
    """What one call added to what is measured."""
    before = measured()
    call(MeasuredPipeline(MemoryTokens()), shop(address))
    return {name: value - before.get(name, 0) for name, value in measured().items() if value != before.get(name)}


def invite(pipeline: MeasuredPipeline, account: Account) -> object:
    return pipeline.deliver(account, JOB, timeout=5)


def ask(pipeline: MeasuredPipeline, account: Account) -> object:
    return pipeline.consent(account, JOB, timeout=5)


def ask_of_nothing(pipeline: MeasuredPipeline, account: Account) -> object:
    return pipeline.consent(account, WITHOUT_ORDER, timeout=5)


def read(pipeline: MeasuredPipeline, account: Account) -> object:
    return pipeline.list_page(account, offset=0, size=10, timeout=5)


def look_up(pipeline: MeasuredPipeline, account: Account) -> object:
    return pipeline.look_up(account, JOB, SINCE, timeout=5)


@pytest.mark.parametrize(
    ("call", "outcome"), [(invite, "accepted"), (ask, "consented"), (read, "listed"), (look_up, "listed")]
)
def test_a_call_is_measured_once(provider: str, call: Call, outcome: str) -> None:
    assert after(call, provider) == {outcome: 1}


@pytest.mark.parametrize("provider", [False], indirect=True)
def test_a_no_of_the_customer_is_measured_as_that(provider: str) -> None:
    assert after(ask, provider) == {"suppressed": 1}


def test_where_nothing_is_asked_nothing_is_measured(provider: str) -> None:
    assert after(ask_of_nothing, provider) == {}


@pytest.mark.parametrize("call", [invite, ask, read, look_up])
def test_a_provider_that_is_away_is_measured_too(call: Call) -> None:
    assert after(call, f"http://127.0.0.1:{free_port()}") == {"unavailable": 1}
