"""Connections to Redis: one server, one behind TLS, or one that Sentinel finds."""

import time
from functools import cache
from typing import Any

from redis import Redis, Sentinel
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry
from redis.sentinel import SentinelManagedConnection
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from config.redis_url import SentinelUrl
from config.settings import Settings, settings

TIMEOUT_SECONDS = 5
ASKED_EVERY_SECONDS = 1


class FollowingConnection(SentinelManagedConnection):
    """Stays with the primary that the sentinels name: asks them now and then, and before it connects again.

    redis-py 8.1 stays with a primary that was given up and came back, until that is told to follow the new one, and
    loses what it wrote meanwhile; and a command that is tried again goes back to the server that fell silent.
    """

    _asked = 0.0

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        if not self._sock:
            self.connect()  # type: ignore[no-untyped-call]
        super().send_packed_command(command, check_health)  # type: ignore[no-untyped-call]

    def check_health(self) -> None:
        if time.monotonic() >= self._asked + ASKED_EVERY_SECONDS and not self._is_with_primary():
            self.disconnect()  # type: ignore[no-untyped-call]
            self.connect()  # type: ignore[no-untyped-call]
        super().check_health()  # type: ignore[no-untyped-call]

    def _is_with_primary(self) -> bool:
        self._asked = time.monotonic()
        try:
            return bool(self.connection_pool.get_master_address() == (self.host, self.port))
        except RedisConnectionError:
            return True


def connect(settings: Settings) -> Redis:
    """A client with text answers, whose calls last five seconds at most and are tried again while Redis restarts."""
    url = settings.redis_url.get_secret_value()
    options: dict[str, Any] = {
        "decode_responses": True,
        # Whatever bytes somebody put into the inbox can be read, refused and kept.
        "encoding_errors": "surrogateescape",
        "socket_timeout": TIMEOUT_SECONDS,
        "socket_connect_timeout": TIMEOUT_SECONDS,
        "socket_keepalive": True,
        "retry": Retry(ExponentialBackoff(cap=1, base=0.05), retries=3),
    }
    if not url.startswith("sentinel://"):
        return Redis.from_url(url, **options)
    parts = SentinelUrl.parse(url)
    sentinel: Any = Sentinel(list(parts.hosts), socket_timeout=TIMEOUT_SECONDS)  # type: ignore[no-untyped-call]
    master: Redis = sentinel.master_for(
        parts.master,
        db=parts.db,
        username=parts.username,
        password=parts.password,
        connection_class=FollowingConnection,
        **options,
    )
    return master


@cache
def patiently(seconds: float) -> Retrying:
    """Calls a step again that changes nothing the second time, while Redis is away or refuses to write: about so long,
    and then its error is raised."""
    return Retrying(
        retry=retry_if_exception_type(RedisError),
        wait=wait_exponential(multiplier=0.1, max=1),
        stop=stop_after_delay(seconds),
        reraise=True,
    )


@cache
def redis() -> Redis:
    """This process's client."""
    return connect(settings())
