"""Prints every change of every invitation, with redis-py. Several of these share the work; each change is seen at least
once, also by who was away, as long as it stands in the stream (the last 100,000)."""

import os
import socket
from collections.abc import Iterator
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
EVENTS, GROUP = "invitations:events", "shop"
# Of several on one host each has a name of its own, which it keeps: Redis remembers every one.
NAME = os.environ.get("READER", socket.gethostname())


def events(redis: Redis) -> Iterator[dict[str, str]]:
    """One after the other, without end; each is done with when the next is asked for."""
    try:
        redis.xgroup_create(EVENTS, GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise
    while True:
        left: Any = redis.xautoclaim(EVENTS, GROUP, NAME, min_idle_time=60_000)
        fresh: Any = redis.xreadgroup(GROUP, NAME, {EVENTS: ">"}, count=100, block=1000)
        for entry, event in [*left[1], *(one for _, entries in fresh or [] for one in entries)]:
            yield event
            redis.xack(EVENTS, GROUP, entry)


if __name__ == "__main__":
    for event in events(Redis.from_url(URL, decode_responses=True, socket_timeout=60)):
        print(event["id"], event["account"], event["order"], event["state"], event["reason"], flush=True)
