"""Celery with its own `rate_limit`, which counts for each worker: every one gets its part of what the provider allows.

It runs on gevent: on threads, `rate_limit` stalls.
"""

from ops.bench.peers.celery_naive import app, enqueue, invite
from ops.bench.peers.load import LOAD

__all__ = ["app", "enqueue", "invite"]

if LOAD.count and LOAD.period:
    invite.rate_limit = f"{LOAD.count / LOAD.period / LOAD.processes}/s"
