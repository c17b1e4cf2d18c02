"""The troubles that no alert of their own tells of."""

import json
import sys

import pytest
from redis import Redis
from redis.exceptions import ReadOnlyError

from config.settings import load_settings
from tests.integration.deployment import job, within
from tests.runbook.alerts import HOUR_MS, Steps
from tests.runbook.scene import Scene
from worker.connection import connect
from worker.ledger import Ledger
from worker.records import Records

LATER = {"amount": 5, "unit": "hours"}


def provider_down(scene: Scene) -> Steps:
    """503 to every call."""
    scene.set_fault("status:503")
    ids = scene.line_up(8)
    scene.start_worker()
    key = "invitations:gate:shop_nl"
    within(lambda: bool(scene.deployment.redis.hget(key, "closed_until")), "the gate shut")
    shown = yield
    assert "unavailable" in shown
    scene.set_fault(None)
    yield
    scene.wait_for_all(ids, "accepted")
    shown = yield
    assert "0 replayed" in shown
    shown = yield
    assert "closed" not in shown


def credentials_expired(scene: Scene) -> Steps:
    """The provider refuses the credentials; then there are others."""
    scene.set_fault("credentials")
    ids = scene.line_up(5)
    scene.start_worker()
    within(lambda: bool(scene.deployment.redis.exists("invitations:pause:shop_nl")), "the account paused")
    shown = yield
    assert "paused" in shown
    assert "does not know this shop_id and code" in shown
    scene.set_fault(None)
    scene.configure(code="another-code")
    scene.restart_workers()
    yield
    scene.wait_for_all(ids, "accepted")
    shown = yield
    assert "paused" not in shown


def limit_changed(scene: Scene) -> Steps:
    """Two a minute in the accounts file, while the provider allows ten a second."""
    scene.configure(limit="2/minute")
    ids = scene.line_up(10)
    scene.start_worker()
    scene.wait_for_count("queued", 8)
    shown = yield
    assert shown.count("2 per 60 s") == 2
    scene.configure(limit="10/second")
    scene.restart_workers()
    scene.wait_for_all(ids, "accepted")
    shown = yield
    assert shown.count("10 per 1 s") == 2


def redis_down(scene: Scene) -> Steps:
    """Killed while some wait, and started again."""
    worker = scene.start_worker()
    ids = scene.line_up(3, delay={"amount": 5, "unit": "seconds"})
    scene.servers[0].stop()
    shown = yield
    assert "does not answer" in shown
    scene.servers[0].start()
    scene.wait_for_all(ids, "accepted")
    shown = yield
    assert "does not answer" not in shown
    assert worker.alive


def redis_full(scene: Scene) -> Steps:
    """What it holds is more than it may."""
    redis, worker = scene.deployment.redis, scene.start_worker()
    [before] = scene.line_up(1)
    scene.wait_for_all([before], "accepted")
    redis.config_set("maxmemory", redis.info("memory")["used_memory"] // 2)
    refused = scene.deployment.start("send", _send("full"))
    assert refused.end() == 1
    assert "Redis is full" in refused.text
    shown = yield
    assert "of maxmemory is used" in shown
    yield
    sent = scene.deployment.start("send", _send("full"))
    assert sent.end() == 0
    scene.wait_for_count("accepted", 2)
    shown = yield
    assert "of maxmemory is used" not in shown
    assert worker.alive


def stuck_invitation(scene: Scene) -> Steps:
    """One that was refused, one that failed, and one that waits for five hours."""
    scene.configure(max_attempts=1)
    scene.set_fault("status:500", count=1)
    [refused] = [answer.id for answer in scene.deployment.accept({"account": "shop_nl", "email": "nobody"})]
    [failed] = scene.line_up(1)
    [later] = scene.line_up(1, delay=LATER)
    scene.start_worker()
    scene.wait_for_all([failed], "failed")
    scene.values["ID"] = failed
    shown = yield
    assert "failed" in shown
    scene.values["ID"] = refused
    shown = yield
    assert json.loads(shown) == {"account": "shop_nl", "email": "nobody"}
    scene.values["ID"] = failed
    yield
    scene.wait_for_all([failed], "accepted")
    scene.values["ID"] = later
    yield
    shown = yield
    assert "the shop asked for it" in shown
    assert scene.deployment.state(later) == "cancelled"


def wrong_batch_imported(scene: Scene) -> Steps:
    """Twenty more than should be, of which two went out, before one that waits rightly."""
    redis = scene.deployment.redis
    [right] = scene.line_up(1, delay=LATER)
    redis.hset(f"invitations:record:{right}", "created_at", Ledger(redis).now() - HOUR_MS)
    scene.configure(limit="2/minute")
    wrong = scene.line_up(20)
    scene.start_worker()
    scene.wait_for_count("accepted", 2)
    shown = yield
    assert "paused" in shown
    yield
    assert scene.deployment.state(right) == "queued"
    states = [record.state for record in scene.deployment.records.many(wrong)]
    assert states.count("cancelled") >= len(wrong) - 4
    assert set(states) == {"cancelled", "accepted"}
    shown = yield
    assert len(json.loads(shown)) == states.count("accepted")
    yield
    assert scene.deployment.state(right) == "queued"
    assert not redis.exists("invitations:pause:shop_nl")


def erase_a_customer(scene: Scene) -> Steps:
    """One invitation of theirs is accepted, another waits, and there is somebody else's."""
    scene.start_worker()
    [accepted] = scene.line_up(1)
    [waiting] = [one.id for one in scene.deployment.accept({**job("shop_nl", 1, delay=LATER), "order": "another"})]
    [other] = scene.line_up(1)
    scene.wait_for_all([accepted, other], "accepted")
    shown = yield
    assert "0 of 1 suppressed" in shown
    shown = yield
    assert "2 invitations forgotten" in shown
    assert scene.deployment.state(waiting) == "suppressed"
    assert scene.deployment.record(other).forgotten_at is None
    yield
    shown = yield
    assert "0 invitations forgotten" in shown
    assert '"forgotten": "2"' in shown


def move_to_a_new_redis(scene: Scene) -> Steps:
    """Some are accepted, some wait; to a server that runs beside."""
    deployment, old = scene.deployment, scene.deployment.redis
    scene.start_worker()
    done, waiting = scene.line_up(3), scene.line_up(3, delay={"amount": 30, "unit": "seconds"})
    scene.wait_for_all(done, "accepted")
    new = scene.start_server("new")
    ports = {"OLD_HOST": "127.0.0.1", "OLD_PORT": scene.servers[0].port, "NEW_HOST": "127.0.0.1", "NEW_PORT": new.port}
    scene.values |= {name: str(value) for name, value in ports.items()}
    scene.values["NEW_REDIS"] = f"{new.connection_url}/0"
    deployment.redis_url = f"{new.connection_url}/0"
    with connect(load_settings(redis_url=deployment.redis_url)) as client:
        shown = yield
        assert "master_link_status" in shown
        within(lambda: client.info("replication").get("master_link_status") == "up", "a replica in step")
        scene.stop_workers()
        yield
        within(lambda: client.info("replication")["role"] == "master", "the new one in charge")
        _refuses_writes(old)
        deployment.redis, deployment.records = client, Records(client)
        scene.start_worker()
        scene.wait_for_all([*done, *waiting], "accepted")
        assert deployment.stats("shop_nl")["accepted"] == len(done) + len(waiting)
        shown = yield
        assert "none runs: nothing is delivered" not in shown
        assert "shop_nl" in shown
        scene.stop_workers()


def roll_back_a_version(scene: Scene) -> Steps:
    """A worker of the next version and one of the last, one after the other under load."""
    scene.start_worker()
    ids = scene.line_up(30)
    shown = yield
    assert "invitations" in shown
    ids += scene.line_up(30)
    scene.restart_workers()
    scene.wait_for_all(ids, "accepted")
    yield
    shown = yield
    assert "pong" in shown
    assert scene.deployment.stats("shop_nl")["accepted"] == len(ids)


def _send(order: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "ops.cli",
        "send",
        "--account=shop_nl",
        "--email=jane@example.com",
        f"--order={order}",
    ]


def _refuses_writes(redis: Redis) -> None:
    with pytest.raises(ReadOnlyError):
        redis.xadd("invitations:inbox", {"job": "{}"})
