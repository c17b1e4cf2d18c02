"""Every recorded answer of every provider: what goes out, byte for byte, and what the answer is taken for."""

from datetime import datetime
from typing import Any

import pytest

from config.accounts import Account
from tasks.providers import BUILT_IN
from tasks.providers.http import HEADERS
from tasks.providers.listing import Page
from tasks.providers.pipeline import Pipeline
from tests.contract.cases import Case, all_cases, private
from tests.contract.conftest import Overheard
from tests.contract.playback import Asked, Playback, answer, playback

TIMEOUT = 5.0


def play(case: Case, account: Account, pipeline: Pipeline) -> tuple[Any, Any]:
    """What the case's action returns, and the limits that came with it."""
    if case.action == "list":
        return pipeline.list_page(account, **case.raw["page"], timeout=TIMEOUT), None
    if case.action == "look_up":
        since = datetime.fromisoformat(case.raw["since"])
        return pipeline.look_up(account, case.job, since, timeout=TIMEOUT), None
    if case.action == "consent":
        return pipeline.consent(account, case.job, timeout=TIMEOUT), None
    answered = pipeline.deliver(account, case.job, timeout=TIMEOUT)
    assert 0 < answered.seconds < TIMEOUT
    return answered.outcome, answered.limits


def expected_request(server: Playback, request: dict[str, Any]) -> Asked:
    """The request of a case with the headers that all requests carry."""
    body = request.get("body", "").encode()
    headers = {
        "host": f"127.0.0.1:{server.port}",
        "user-agent": HEADERS["User-Agent"],
        "accept": "application/json",
        "accept-encoding": "gzip, deflate",
        "connection": "keep-alive",
        **{name.lower(): value for name, value in request.get("headers", {}).items()},
    }
    if body:
        headers["content-length"] = str(len(body))
    return Asked(f"{request['line']} HTTP/1.1", headers, body)


def test_every_provider_has_recorded_answers() -> None:
    recorded = {type(BUILT_IN[each.account("http://127.0.0.1").provider]) for each in all_cases()}

    assert recorded == {type(provider) for provider in BUILT_IN.values()}


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: f"{case.provider}-{case.name}")
def test_recorded(case: Case, pipeline: Pipeline, overheard: Overheard) -> None:
    script = [answer(**call["reply"]) for call in case.calls]
    with playback(*script) as server:
        account = case.account(server.url)
        outcome, limits = play(case, account, pipeline)

        assert outcome == case.outcome
        assert limits == case.limits
        assert server.asked == [expected_request(server, call["request"]) for call in case.calls]
    addresses = [row.email for row in outcome.rows] if isinstance(outcome, Page) else []
    overheard.say(outcome, limits, case.job)
    assert overheard.tells([*private(account, case.job), *addresses]) == []
