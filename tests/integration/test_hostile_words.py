"""A provider whose words would forge a log line, steer a terminal or run in a browser: shown, they do nothing."""

import requests

from tests.contract.playback import answer, playback
from tests.integration.deployment import FLOWER_LOGIN, Deployment, job, within

FORGED = "2026-01-01T00:00:00Z [info     ] forged"
WORDS = f"<script>alert(1)</script>\r\n{FORGED} \x1b[2J\x9b31m \u202e"


def test_in_the_log_the_ledger_and_flower(deployment: Deployment) -> None:
    with playback(*[answer(200, {"status": "error", "message": WORDS})] * 9) as server:
        deployment.add_account(
            "hostile", provider="webwinkelkeur", shop_id=9, code="code-of-hostile", base_url=server.url
        )
        worker = deployment.start_worker()
        _, flower = deployment.start_flower()
        invitation = deployment.accept(job("hostile", 1))[0].id

        def page() -> str:
            return requests.get(f"{flower}/task/{invitation}", auth=FLOWER_LOGIN, timeout=20).text

        # What happened before Flower listened it sees at the next try.
        within(lambda: "alert(1)" in page(), "the words on Flower's page", seconds=60)

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page()
    assert "<script>alert" not in page()
    reason = deployment.record(invitation).reason
    assert reason.startswith("WebwinkelKeur said: <script>alert(1)</script>")
    assert reason.isprintable()
    assert "forged" in worker.text
    assert [line for line in worker.text.splitlines() if line.startswith(FORGED)] == []
    assert not {"\x1b", "\x9b", "\u202e"} & set(worker.text)
