"""Connections to Redis: one server, one behind TLS, or one that Sentinel finds."""

from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qs, unquote, urlsplit

from redis import Redis, Sentinel
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from config.settings import Settings, settings

SENTINEL_PORT = 26379
MASTER = "mymaster"
TIMEOUT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class SentinelUrl:
    """The parts of sentinel://user:password@host:port,host:port/db?master=name."""

    hosts: tuple[tuple[str, int], ...]
    master: str
    db: int
    username: str | None
    password: str | None

    def __repr__(self) -> str:
        return f"SentinelUrl(master={self.master!r})"

    @classmethod
    def parse(cls, url: str) -> "SentinelUrl":
        parts = urlsplit(url)
        credentials, _, hosts = parts.netloc.rpartition("@")
        username, _, password = credentials.partition(":")
        query = parse_qs(parts.query)
        return cls(
            hosts=tuple(_host(host) for host in hosts.replace(";", ",").split(",") if host),
            master=(query.get("master") or query.get("master_name") or [MASTER])[0],
            db=int(parts.path.strip("/") or 0),
            username=unquote(username) or None,
            password=unquote(password) or None,
        )


def _host(text: str) -> tuple[str, int]:
    name, _, port = text.partition(":")
    return name, int(port or SENTINEL_PORT)


def connect(settings: Settings) -> Redis:
    """A client with text answers, whose calls last five seconds at most and are tried again while Redis restarts."""
    url = settings.redis_url.get_secret_value()
    if url.startswith("sentinel://"):
        parts = SentinelUrl.parse(url)
        sentinel = Sentinel(list(parts.hosts), socket_timeout=TIMEOUT_SECONDS)
        return sentinel.master_for(
            parts.master, db=parts.db, username=parts.username, password=parts.password, decode_responses=True,
            socket_timeout=TIMEOUT_SECONDS,
        )
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        socket_keepalive=True,
        retry=Retry(ExponentialBackoff(cap=1, base=0.05), retries=3),
    )


@cache
def redis() -> Redis:
    """This process's client."""
    return connect(settings())
