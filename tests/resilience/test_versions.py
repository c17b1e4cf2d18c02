"""A worker of one version beside a worker of the next, over the same records; and records of versions before."""

import time
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.integration.deployment import Deployment, within
from tests.integration.processes import Running
from tests.resilience.bootstrap import faulty_worker
from tests.resilience.recorded import ACCOUNT, STEPS, WAITING, dump, job_of, load, make
from tests.resilience.report import Row
from tests.resilience.storm import Storm
from worker.ledger import NEWEST, VERSION

NEWER = NEWEST + 1
# Calls at once that an account is given unless configured otherwise.
AT_ONCE = 10
# Each written once, by `python -m tests.resilience.recorded`, and never changed.
RECORDED = sorted(Path(__file__).parent.glob("records_v*.json"))


def start(deployment: Deployment, version: int) -> Running:
    """A worker of that version, which leaves what is newer to others for for half a second at a time."""
    worker = deployment.start(f"v{version}", faulty_worker(f"version={version}", f"v{version}"), CONCURRENCY="5")
    worker.wait_for(" ready.")
    return worker


def test_an_older_worker_leaves_newer_records_to_a_newer_one(
    deployment: Deployment, is_long: bool, rows: list[Row]
) -> None:
    storm = Storm(deployment, 1_000 if is_long else 120)
    deployment.add_account("portal", provider="wemasy", token="token-of-portal", timeout=3, limit="5000/minute")
    older = storm.size - 20
    start(deployment, NEWEST)
    began = time.monotonic()
    with patch("worker.ledger.VERSION", NEWER):
        storm.took([receipt.id for receipt in deployment.accept(*storm.jobs[older:])])
    storm.took([receipt.id for receipt in deployment.accept(*storm.jobs[:older])])
    within(lambda: storm.delivered == older, "what is older delivered", seconds=60)
    storm.hit(storm.size - older)
    newer = storm.ids[: storm.size - older]
    within(lambda: reasons(deployment, newer) == {"written by a newer version"}, "every newer record left alone")
    left = deployment.records.many(newer)
    # None of the places that the limit gives was spent on it.
    assert {(record.state, record.attempts, len(record.history)) for record in left} == {("queued", 0, 1)}
    assert deployment.redis.zcard("invitations:passed:portal") <= older // 3 + AT_ONCE
    looks = int(deployment.redis.hget("invitations:gate:portal", "slots") or 0)
    assert looks <= older + ((time.monotonic() - began) / 0.5 + 1) * len(left)
    start(deployment, NEWER)
    storm.healed()
    row = storm.end("older worker beside newer records")
    rows.append(row)
    assert (row.lost, row.repeated, storm.attempts) == (0, 0, 0)


def reasons(deployment: Deployment, ids: list[str]) -> set[str]:
    return {record.reason for record in deployment.records.many(ids)}


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_what_an_earlier_version_wrote_is_gone_on_with(deployment: Deployment, file: Path) -> None:
    load(deployment.redis, file)
    names = [*STEPS, *WAITING, "delivering"]
    receipts = {name: deployment.accept(job_of(name))[0] for name in names}
    assert [name for name, receipt in receipts.items() if receipt.created] == []
    deployment.start_worker()
    waited = ["queued", "keyed", "unclear", "throttled", "delivering"]
    for name in waited:
        deployment.wait_for(receipts[name].id, "accepted", "sent")
    assert {name: deployment.state(receipts[name].id) for name in names if name not in waited} == {
        "accepted": "accepted",
        "sent": "sent",
        "duplicate": "duplicate",
        "rejected": "rejected",
        "failed": "failed",
        "cancelled": "cancelled",
    }
    records = {name: deployment.record(receipts[name].id) for name in names}
    assert {name: record.attempts for name, record in records.items() if record.attempts} == {
        "failed": 1,
        "unclear": 1,
        "delivering": 1,
    }
    assert records["throttled"].throttled == 1
    assert records["accepted"].provider_reference == "17"
    assert [record.faults for record in deployment.records.latest([ACCOUNT], ["refused"], 9)] != [()]


def test_the_records_of_this_version_are_recorded(deployment: Deployment) -> None:
    """Another field or key is no reason to record them again; a new version is, with a file of its own."""
    make(deployment)
    written = [held for key, (_, held) in dump(deployment.redis).items() if key.startswith("invitations:record:")]
    assert [record["v"] for record in written] == [str(VERSION)] * (len(STEPS) + len(WAITING) + 2)
    assert Path(__file__).parent / f"records_v{VERSION}.json" in RECORDED
