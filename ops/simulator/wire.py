"""A call as it came in and an answer as it goes out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

Kind = Literal["create", "retrieve", "consent", "token"]
Headers = tuple[tuple[str, str], ...]

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `path` has no `/api` before it; `at_ns` is when it was complete, wall clock."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    at_ns: int

    @property
    def bearer(self) -> str:
        """The token of `Authorization: Bearer <token>`, or "" where there is none."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def has_type(self, media_type: str) -> bool:
        """Whether the body says that it is of this media type, parameters aside."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower() == media_type

    def json_object(self) -> dict[str, object]:
        """The body as a JSON object; {} where it is anything else or does not say that it is JSON."""
        if not self.has_type(JSON_TYPE):
            return {}
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer. `headers` holds what stands beside Content-Type and Content-Length."""

    status: int
    body: bytes
    headers: Headers = ()
    content_type: str = JSON_TYPE


def json_reply(status: int, value: object, headers: Headers = ()) -> Reply:
    """An answer whose body is `value` as JSON."""
    return Reply(status, json.dumps(value, separators=(",", ":")).encode(), headers)


def parse_target(target: str) -> tuple[str, dict[str, str]]:
    """Path, without the `/api` that may stand before it, and query parameters of a request line's target."""
    path, _, query = target.partition("?")
    path = path.removeprefix("/api")
    return path, dict(parse_qsl(query, keep_blank_values=True)) if query else {}
