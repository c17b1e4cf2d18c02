"""What the provider says was sent becomes `sent`, by the one beat that holds the lock."""

from datetime import datetime
from time import monotonic, sleep
from zoneinfo import ZoneInfo

import pytest
import requests

from ops.simulator import SimulatorOptions
from tests.integration.deployment import Deployment, job, within
from tests.integration.processes import Running

DUE = "Sending due task retrievals"
TAKEN_OVER_WITHIN_SECONDS = 15


@pytest.fixture(scope="module")
def simulator_options() -> SimulatorOptions:
    return SimulatorOptions(port=0, send_after=2)


@pytest.fixture(scope="module")
def beats(deployment: Deployment) -> list[Running]:
    """The beat that holds the lock, and one that waits for it; a worker beside them."""
    deployment.variables["RETRIEVE_SECONDS"] = "1"
    worker = deployment.start_worker()
    first = deployment.start_beat()
    first.wait_for(DUE)
    second = deployment.start_beat()
    second.wait_for("beat: Starting")
    assert worker.alive
    return [first, second]


def sent_at_provider(deployment: Deployment, order: str) -> int:
    """When the provider says that it went out, in milliseconds since the epoch."""
    rows = requests.get(
        f"{deployment.simulator.url}/api/1.0/invitations.json",
        params={"id": "1", "code": "code-of-shop-nl"},
        timeout=10,
    ).json()["invitations"]
    [text] = [row["datetimes"]["sent"] for row in rows if row["order"] == order]
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Amsterdam")).timestamp() * 1000)


@pytest.mark.usefixtures("beats")
def test_accepted_becomes_sent_at_the_time_that_the_provider_tells(deployment: Deployment) -> None:
    jobs = [job("shop_nl", "sent"), job("shop_nl", "keyed", idempotency_key="a key")]
    for one, receipt in zip(jobs, deployment.accept(*jobs), strict=True):
        record = deployment.wait_for(receipt.id, "sent")
        assert record.sent_at == sent_at_provider(deployment, one["order"])
        assert record.accepted_at is not None
        assert record.sent_at > record.accepted_at
        assert deployment.events(record.id) == ["queued", "delivering", "accepted", "sent"]


@pytest.mark.usefixtures("beats")
def test_a_provider_that_does_not_tell_leaves_it_accepted(deployment: Deployment) -> None:
    receipts = deployment.accept(job("portal", "silent"), job("reviews", "silent"))
    sleep(2.5)
    assert [deployment.state(receipt.id) for receipt in receipts] == ["accepted", "accepted"]
    assert deployment.stats("portal")["retrieved"] == 0


@pytest.mark.usefixtures("beats")
def test_nothing_is_asked_where_nothing_can_be_news(deployment: Deployment) -> None:
    within(lambda: deployment.redis.zcard("invitations:expected:shop_nl") == 0, "nothing expected any more")
    asked = deployment.stats("shop_nl")["retrieved"]
    sleep(2.5)
    assert deployment.stats("shop_nl")["retrieved"] == asked


def test_of_two_beats_one_runs_the_schedule_and_the_other_replaces_it_when_it_is_killed(
    deployment: Deployment, beats: list[Running]
) -> None:
    first, second = beats
    before = first.text.count(DUE)
    began = monotonic()
    within(lambda: first.text.count(DUE) >= before + 3, "three runs of the schedule")
    assert monotonic() - began > 2
    assert second.text.count(DUE) == 0
    first.kill()
    killed = monotonic()
    within(lambda: DUE in second.text, "the second beat at work", seconds=TAKEN_OVER_WITHIN_SECONDS)
    print(f"taken over after {monotonic() - killed:.1f} s")
    late = job("shop_nl", "after-the-first-beat")
    deployment.wait_for(deployment.accept(late)[0].id, "sent")


def test_a_beat_that_waits_for_the_lock_ends_when_asked(deployment: Deployment, beats: list[Running]) -> None:
    third = deployment.start_beat()
    third.wait_for("beat: Starting")
    # It says nothing of its waiting, which begins when it has written its schedule.
    sleep(1)
    assert third.stop() == 0, third.text
    assert third.text.count(DUE) == 0
    assert beats[1].stop() == 0
