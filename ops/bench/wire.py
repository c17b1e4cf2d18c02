"""HTTP as the benchmark's provider speaks it: no more of it than clients of a benchmark send."""

import json
import re
from typing import Any, NamedTuple

from ops.bench.account import CREATED, REGISTERED, Answer
from ops.bench.terms import Terms

_LINES = {201: b"201 Created", 422: b"422 Unprocessable Content", 429: b"429 Too Many Requests", 200: b"200 OK"}
_LINES |= {400: b"400 Bad Request", 404: b"404 Not Found"}
_BODIES = {
    CREATED: b'{"customer":{"id":42},"message":"Invitation email sent."}',
    REGISTERED: b'{"error":true,"message":"The email has already been taken.",'
    b'"errors":{"email":["The email has already been taken."]}}',
}
_REFUSED = b'{"error":true,"message":"Too Many Requests"}'
_END = b"\r\n\r\n"
_FIRST = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.1\b")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_BEARER = re.compile(rb"\r\nauthorization: *bearer +(\S+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)


class Request(NamedTuple):
    """`token` is that of the bearer, "" where there is none."""

    method: str
    path: str
    token: str
    body: bytes


class Unreadable(Exception):
    """What came is no request, or one without the length of its body."""


def take_request(buffer: bytearray) -> Request | None:
    """Takes the first request out of the buffer; None while it is not whole. Raises Unreadable."""
    end = buffer.find(_END)
    if end < 0:
        return None
    head = bytes(buffer[:end])
    first, length, bearer = _FIRST.match(head), _LENGTH.search(head), _BEARER.search(head)
    if not first or _CHUNKED.search(head):
        raise Unreadable
    whole = end + len(_END) + (int(length[1]) if length else 0)
    if len(buffer) < whole:
        return None
    body = bytes(buffer[end + len(_END) : whole])
    del buffer[:whole]
    return Request(first[1].decode(), first[2].decode(), bearer[1].decode() if bearer else "", body)


def invite_reply(answer: Answer, terms: Terms) -> bytes:
    """The answer to an invite call, as Wemasy gives it (wemasy-invite.txt)."""
    headers = b""
    if terms.headers and answer.left is not None and terms.rate:
        headers = b"X-RateLimit-Limit: %d\r\nX-RateLimit-Remaining: %d\r\n" % (terms.rate.per_minute, answer.left)
    if answer.retry_after is not None:
        headers += b"Retry-After: %d\r\n" % answer.retry_after
    return _reply(answer.status, _BODIES.get(answer.status, _REFUSED), headers)


def json_reply(value: Any, status: int = 200) -> bytes:
    return _reply(status, json.dumps(value).encode())


def _reply(status: int, body: bytes, headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n%b" % (
        _LINES[status],
        headers,
        len(body),
        body,
    )
