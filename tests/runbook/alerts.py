"""The troubles that an alert tells of."""

import json
from collections.abc import Generator

from tests.integration.deployment import within
from tests.runbook.scene import Scene
from worker.ledger import Ledger

HOUR_MS = 3_600_000
LOCK = "invitations:beat::lock"

Steps = Generator[None, str, None]


def nothing_wrong(scene: Scene) -> Steps:
    """Doctor and status of a system that is well."""
    scene.start_worker()
    scene.deployment.start_beat()
    within(lambda: bool(scene.deployment.redis.exists(LOCK)), "beat at work")
    shown = yield
    assert "problem" not in shown
    assert "none runs" not in shown
    assert "shop_nl" in shown


def oldest_due_too_old(scene: Scene) -> Steps:
    """A limit of two a minute, one failure, and four that wait."""
    scene.configure(limit="2/minute", max_attempts=1)
    scene.set_fault("status:500", count=1)
    ids = scene.line_up(6)
    scene.start_worker()
    scene.wait_for_count("failed", 1)
    scene.wait_for_count("queued", 4)
    scene.values["ID"] = next(scene.deployment.records.ids("shop_nl", "queued"))
    shown = yield
    assert json.loads(shown.splitlines()[0])["accounts"]["shop_nl"]["limit"] == "2 per 60 s"
    assert scene.values["ID"] in shown
    yield
    assert scene.deployment.state(scene.values["ID"]) == "cancelled"
    assert scene.deployment.count("shop_nl", "failed") == 0
    shown = yield
    [told] = shown.splitlines()
    assert json.loads(told)["accounts"]["shop_nl"]["waiting"] <= len(ids) - 1


def gate_paused(scene: Scene) -> Steps:
    """Somebody paused it and went home."""
    Ledger(scene.deployment.redis).pause("shop_nl", "wrong template")
    ids = scene.line_up(3)
    scene.start_worker()
    shown = yield
    assert "wrong template" in shown
    assert scene.deployment.count("shop_nl", "queued") == len(ids)
    yield
    scene.wait_for_all(ids, "accepted")
    shown = yield
    assert "paused" not in shown


def failures_rising(scene: Scene) -> Steps:
    """The provider answers 500, and the account tries once."""
    scene.configure(max_attempts=1)
    scene.set_fault("status:500")
    ids = scene.line_up(2)
    scene.start_worker()
    scene.wait_for_all(ids, "failed")
    scene.values["ID"] = ids[0]
    shown = yield
    assert all(invitation in shown for invitation in ids)
    yield
    scene.set_fault(None)
    yield
    scene.wait_for_all(ids, "accepted")
    shown = yield
    assert shown == ""


def no_retrieval(scene: Scene) -> Steps:
    """No beat: what was accepted long ago is not known as sent."""
    scene.start_worker()
    ids = scene.line_up(1)
    scene.wait_for_all(ids, "accepted")
    shown = yield
    assert "nobody asks what was sent" in shown
    yield
    scene.wait_for_all(ids, "sent")
    shown = yield
    assert json.loads(shown)["accounts"]["shop_nl"]["states"]["sent"] == 1


def beat_silent(scene: Scene) -> Steps:
    """No beat."""
    worker = scene.start_worker()
    shown = yield
    assert "none runs: nobody asks what was sent" in shown
    yield
    worker.wait_for("upkeep_done")
    scene.deployment.start_beat()
    within(lambda: bool(scene.deployment.redis.exists(LOCK)), "beat at work")
    shown = yield
    assert "none runs" not in shown


def redis_memory(scene: Scene) -> Steps:
    """Nearly full, partly of what was finished a hundred days ago."""
    redis, worker = scene.deployment.redis, scene.start_worker()
    [old] = scene.line_up(1, "portal")
    scene.wait_for_all([old], "accepted")
    redis.zadd("invitations:state:portal:accepted", {old: Ledger(redis).now() - 100 * 24 * HOUR_MS})
    redis.config_set("maxmemory", round(redis.info("memory")["used_memory"] * 1.08))
    shown = yield
    assert "used_memory" in shown
    yield
    assert redis.config_get("maxmemory") == {"maxmemory": str(2 << 30)}
    yield
    worker.wait_for("upkeep_done")
    assert not redis.exists(f"invitations:record:{old}")
    shown = yield
    assert "of maxmemory is used" not in shown


def nothing_delivered(scene: Scene) -> Steps:
    """No worker."""
    ids = scene.line_up(3)
    shown = yield
    assert "none runs: nothing is delivered" in shown
    assert "no worker answers" in shown
    scene.start_worker()
    scene.wait_for_all(ids, "accepted")
    shown = yield
    assert "shop_nl" in shown


def worker_silent(scene: Scene) -> Steps:
    """Killed in the middle of a call."""
    scene.set_fault("hang", count=1)
    ids = scene.line_up(1)
    worker = scene.start_worker()
    scene.wait_for_all(ids, "delivering")
    worker.kill()
    shown = yield
    assert "no worker answers" in shown
    scene.start_worker()
    scene.wait_for_all(ids, "accepted")
    shown = yield
    assert ids[0] not in shown
