"""What the workers are given during a run: enough of everything that each panel has something to show."""

import json
import time
from itertools import count

from redis import Redis

from config.celery_values import INBOX
from ops.demo.loopback import post_json
from ops.demo.places import AT_SIMULATOR, Places
from ops.demo.processes import Processes
from worker.ledger import Ledger

EVERY_SECONDS = 0.5
JOBS = {"shop_nl": 3, "portal": 1, "reviews": 3}
"""Of each account every half second, some above what its provider allows."""
FAULTS = 3
MAXMEMORY = 256 * 1024 * 1024
PAUSED_FROM, PAUSED_TO = 0.4, 0.7


def drive(places: Places, processes: Processes, seconds: float) -> int:
    """Jobs for `seconds`, while two providers fail now and then, and one account is paused for a third of the time.
    Returns how many jobs."""
    for name in ("shop_nl", "portal"):
        fault = {"fault": "status:500", "kind": "create", "count": FAULTS}
        post_json(f"{places.simulator}/_control", {"account": AT_SIMULATOR[name], **fault})
    began, numbers, paused = time.monotonic(), count(1), False
    with Redis.from_url(places.redis, decode_responses=True) as redis:
        redis.config_set("maxmemory", MAXMEMORY)
        ledger = Ledger(redis)
        while (passed := (time.monotonic() - began) / seconds) < 1:
            processes.check()
            if paused != (PAUSED_FROM < passed < PAUSED_TO):
                paused = not paused
                _pause(ledger, paused)
            for account, number in JOBS.items():
                for _ in range(number):
                    redis.xadd(INBOX, {"job": json.dumps(_job(account, next(numbers)))})
            time.sleep(EVERY_SECONDS)
    return next(numbers) - 1


def _pause(ledger: Ledger, paused: bool) -> None:
    if paused:
        ledger.pause("reviews", "a run of the monitoring")
    else:
        ledger.resume("reviews")


def _job(account: str, number: int) -> dict[str, str]:
    return {"account": account, "email": f"customer{number}@example.com", "order": f"m-{number}"}
