"""Hosts whose clocks disagree by minutes, workers and beat: only Redis's time counts."""

import time
from email.utils import formatdate

from tests.integration.deployment import Deployment, Job, within
from tests.integration.processes import Running
from tests.resilience.bootstrap import faulty, faulty_worker
from tests.resilience.report import Row
from tests.resilience.storm import Storm, by_inbox

SKEWS = (-300, 300)
LIMIT = "100/second"
DELAY_MS = 3_000
CLOSED_SECONDS = 4
# A call that was under way when another was told to wait; its own worker may be slow.
UNDER_WAY_MS = 2_000


def start(deployment: Deployment, skew: int) -> Running:
    """A worker whose host's clock is so many seconds ahead, or behind."""
    worker = deployment.start("worker", faulty_worker(f"clock={skew}", f"clock{skew}"), CONCURRENCY="5")
    worker.wait_for(" ready.")
    return worker


def start_beat(deployment: Deployment, skew: int) -> Running:
    return deployment.start("beat", faulty(f"clock={skew}", "beat", "--loglevel", "INFO"))


def with_delay(jobs: list[Job]) -> list[Job]:
    """Every fifth has a delay that is waited out here."""
    delay = {"delay": {"amount": DELAY_MS // 1000, "unit": "seconds"}}
    return [{**one, **delay} if number % 5 == 0 else one for number, one in enumerate(jobs)]


def close(deployment: Deployment, account: str, retry_after: str) -> None:
    """The account's next call meets a 429."""
    key = deployment.key_at_provider(account)
    deployment.simulator.control(account=key, fault="status:429", count=1, kind="create", retry_after=retry_after)


def test_clocks_that_disagree_by_minutes(deployment: Deployment, is_long: bool, rows: list[Row]) -> None:
    storm = Storm(deployment, 3_000 if is_long else 150)
    deployment.variables |= {"RETRIEVE_SECONDS": "2"}
    for name, fields in list(deployment.accounts.items()):
        deployment.add_account(name, **{**fields, "limit": LIMIT, "expires_after": "4m"})
    beat = start_beat(deployment, SKEWS[0])
    for skew in SKEWS:
        start(deployment, skew)
        storm.hit()
    close(deployment, "portal", formatdate(time.time() + CLOSED_SECONDS, usegmt=True))
    close(deployment, "reviews", str(CLOSED_SECONDS))
    by_inbox(deployment, with_delay(storm.jobs))
    storm.healed()
    within(lambda: storm.delivered == storm.size, "all delivered", seconds=90)
    storm.took([receipt.id for receipt in deployment.accept(*storm.jobs)])
    row = storm.end("clocks five minutes apart")
    rows.append(row)
    assert (row.lost, row.repeated, storm.attempts) == (0, 0, 0)
    check_times(deployment, storm)
    within(lambda: deployment.count("shop_nl", "sent") == storm.size // 3, "all known to be sent")
    check_takeover(deployment, beat)


def check_times(deployment: Deployment, storm: Storm) -> None:
    """Nothing was called before it was due, and nobody called who had been told to wait."""
    for record in deployment.records.many(storm.ids[::5]):
        begun = min(change.at for change in record.history if change.state == "delivering")
        assert begun >= record.created_at + DELAY_MS
    told = [int(str(call["retry_after_age_ms"])) for call in deployment.simulator.calls() if call["inside_retry_after"]]
    assert max(told, default=0) < UNDER_WAY_MS
    throttled = {record.account for record in deployment.records.many(storm.ids) if record.throttled}
    assert throttled == {"portal", "reviews"}


def check_takeover(deployment: Deployment, first: Running) -> None:
    """The beat whose clock is ahead waits for the lock, and goes on when it is free."""
    second = start_beat(deployment, SKEWS[1])
    second.wait_for("beat: Starting...")
    assert "Sending due task" in first.text
    assert first.stop() == 0
    second.wait_for("Sending due task")
    assert second.stop() == 0
    assert "Traceback" not in first.text + second.text
