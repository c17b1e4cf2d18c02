"""The address of a Redis that Sentinel finds, in the one form this project takes."""

from dataclasses import dataclass
from urllib.parse import parse_qs, quote, unquote, urlsplit

SENTINEL_PORT = 26379
MASTER = "mymaster"


@dataclass(frozen=True, slots=True, repr=False)
class SentinelUrl:
    """The parts of sentinel://user:password@host:port,host:port/db?master=name."""

    hosts: tuple[tuple[str, int], ...]
    master: str
    db: int
    username: str | None
    password: str | None

    @classmethod
    def parse(cls, url: str) -> "SentinelUrl":
        """Raises ValueError where a port or the database is not a number."""
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

    def for_celery(self) -> str:
        """The form that kombu takes: one address per sentinel."""
        user, secret = quote(self.username or "", safe=""), quote(self.password or "", safe="")
        credentials = f"{user}:{secret}@" if self.password else ""
        return ";".join(f"sentinel://{credentials}{host}:{port}/{self.db}" for host, port in self.hosts)


def _host(text: str) -> tuple[str, int]:
    name, _, port = text.partition(":")
    return name, int(port or SENTINEL_PORT)
