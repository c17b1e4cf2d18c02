"""The question whether a customer agreed: whatever goes wrong with it, nobody was invited, so nothing is unclear."""

import pytest

from tasks.outcome import Unavailable
from tasks.providers.pipeline import Pipeline
from tests.contract.cases import case, private
from tests.contract.conftest import Overheard
from tests.contract.playback import Act, answer, playback

NOT_LEARNED = "it could not be learned whether the customer agreed: "


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (Act(end="hang"), "no whole answer from the provider in time"),
        (Act(end="reset"), "the connection broke before the provider's whole answer came"),
        (answer(200, '{"has_consent": tr'), "the provider answered 200 with a body that is none of its known answers"),
        (answer(302, "", {"Location": "http://127.0.0.1:9/"}), "the provider answered with a redirect (302)"),
        (answer(503, ""), "the provider answered 503 with a body that is none of its known answers"),
    ],
    ids=["hang", "reset", "half", "redirect", "503"],
)
def test_no_plain_answer_is_never_unclear(act: Act, why: str, pipeline: Pipeline, overheard: Overheard) -> None:
    asked = case("webwinkelkeur", "consent_given")
    with playback(act) as server:
        account = asked.account(server.url)
        outcome = pipeline.consent(account, asked.job, timeout=0.5 if act.end == "hang" else 5)

    assert isinstance(outcome, Unavailable)
    assert outcome.reason.startswith(NOT_LEARNED + why)
    assert len(server.asked) == 1
    overheard.say(outcome)
    assert overheard.tells(private(account, asked.job)) == []
