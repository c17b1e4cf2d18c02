"""Small things that several tests need."""

import re
import socket
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import suppress
from secrets import randbelow
from threading import Event, Thread
from typing import Any, Self, cast

from redis import Redis
from redis.client import NEVER_DECODE

from worker.job_text import FIELDS, joined
from worker.packing import unpack
from worker.vault import IN_CLEAR

KEY = "(the key)"
READERS: dict[str, list[tuple[str, ...]]] = {
    "none": [],
    "string": [("GET", KEY)],
    "hash": [("HGETALL", KEY)],
    "list": [("LRANGE", KEY, "0", "-1")],
    "set": [("SMEMBERS", KEY)],
    "zset": [("ZRANGE", KEY, "0", "-1", "WITHSCORES")],
    "stream": [("XRANGE", KEY, "-", "+"), ("XINFO", "STREAM", KEY, "FULL", "COUNT", "0")],
}
# Below those of Linux (ip_local_port_range).
PORTS = range(20_000, 32_000)
TICK_SECONDS = 0.005
BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4}){3,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
SAMPLE_JOB: dict[str, Any] = {
    "account": "shop_nl",
    "email": "jane@example.com",
    "order": "1001",
    "language": "nl",
    "customer": {
        "full_name": "Jane Doe",
        "first_name": "Jane",
        "last_name": "Doe",
        "phone_numbers": ["+31612345678"],
    },
    "order_total": "1500.99",
    "products": [
        {
            "id": "1234",
            "name": "Red Delicious",
            "url": "https://shop.example/p/1",
            "image_url": None,
            "sku": "rd001",
            "gtin": "0075678164124",
        }
    ],
    "delay": {"amount": 5, "unit": "days"},
    "reminder": {"amount": 12, "unit": "days"},
    "filtercode": "north",
    "client": "my-shop",
    "platform_version": "2.1",
    "plugin_version": "1.0",
    "invite": True,
    "idempotency_key": None,
}
"""The sample job of the contract: every field has a value, or is null where it is meant to be left out."""


def free_port() -> int:
    """A port of the loopback interface that nobody listens on, and none of those that the system gives to who connects:
    in the moment until it is listened on, nobody else gets it."""
    while True:
        port = PORTS[randbelow(len(PORTS))]
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Returns as soon as `condition` holds. Raises AssertionError, saying `what` did not come, after `seconds`."""
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.02)


class Stopwatch:
    """The seconds that a block took: as many as a thread beside it could wait through in short sleeps, or as the block
    computed. What a busy machine gave to other processes is not among them, so a bound on them is as tight there."""

    def __init__(self) -> None:
        self._ticks = 0
        self._ends = Event()
        self._thread = Thread(target=self._tick, daemon=True)
        self._began = 0.0
        self._computed = 0.0

    def __enter__(self) -> Self:
        self._began = time.thread_time()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._computed = time.thread_time() - self._began
        self._ends.set()
        self._thread.join()

    @property
    def seconds(self) -> float:
        return max(self._ticks * TICK_SECONDS, self._computed)

    def _tick(self) -> None:
        while not self._ends.wait(TICK_SECONDS):
            self._ticks += 1


def sealed_job(client: Redis, invitation: str) -> str:
    """The job as it stands in a record; empty where nothing of it is kept."""
    return joined(cast(list[str | None], client.hmget(f"invitations:record:{invitation}", FIELDS)))


def everything_in(client: Redis) -> str:
    """Every key and every value of the database as one text, whatever its type, consumer groups of streams included.

    What stands there in base64, as Celery's messages do, or packed, as jobs do, is in the text twice: as it stands, and
    opened. Raises KeyError for a type that nobody here can read.
    """
    found: list[str] = []
    for key in client.scan_iter(count=1000):
        kind = next(_texts(_raw(client, "TYPE", key)))
        for command in READERS[kind]:
            found += [kind, key, *_texts(_raw(client, *(key if part == KEY else part for part in command)))]
        if kind == "hash":
            found.append(joined(cast(list[str | None], client.hmget(key, FIELDS))))
    found += [unpack(text.removeprefix(IN_CLEAR)) for text in found]
    opened = (b64decode(run) for text in found for run in BASE64.findall(text))
    return "\n".join([*found, *(text.decode(errors="replace") for text in opened)])


def _raw(client: Redis, *command: str) -> Any:
    """The answer in bytes, whatever the client makes of its answers: not all that stands there need be text."""
    return client.execute_command(*command, **{NEVER_DECODE: []})  # type: ignore[no-untyped-call]


def _texts(answer: Any) -> Iterator[str]:
    if isinstance(answer, dict):
        answer = [*answer, *answer.values()]
    if isinstance(answer, list | tuple | set):
        for part in answer:
            yield from _texts(part)
    else:
        yield answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)
