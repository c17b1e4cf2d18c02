"""Puts answers on the wire: whole, byte by byte, without an end, or not at all."""

import asyncio
import socket
import struct
import time
from functools import lru_cache
from http.client import responses

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPHeaders, ResponseStartLine, format_timestamp
from tornado.iostream import StreamClosedError

from ops.simulator.wire import Reply

_CHUNK = b" " * 65_536
_SECOND = 1.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def send_whole(connection: HTTP1Connection, reply: Reply) -> None:
    """Answer as a server should."""
    connection.write_headers(_start_line(reply.status), _headers(reply, len(reply.body)), reply.body)
    connection.finish()


async def send_trickling(connection: HTTP1Connection, reply: Reply) -> None:
    """The right answer, its body at one byte a second."""
    try:
        await connection.write_headers(_start_line(reply.status), _headers(reply, len(reply.body)))
        for position in range(len(reply.body)):
            await connection.write(reply.body[position : position + 1])
            await asyncio.sleep(_SECOND)
        connection.finish()
    except StreamClosedError:
        return


async def send_huge(connection: HTTP1Connection, reply: Reply, size: int) -> None:
    """A body of `size` bytes whose length is not announced."""
    try:
        await connection.write_headers(_start_line(reply.status), _headers(reply, None))
        for sent in range(0, size, len(_CHUNK)):
            await connection.write(_CHUNK[: size - sent])
        connection.finish()
    except StreamClosedError:
        return


def reset(connection: HTTP1Connection) -> None:
    """Close the connection with a TCP reset instead of an answer."""
    if not connection.stream.closed():
        connection.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        connection.close()


def _headers(reply: Reply, length: int | None) -> HTTPHeaders:
    headers = HTTPHeaders({"Content-Type": reply.content_type, "Date": _date(int(time.time()))})
    if length is not None:
        headers["Content-Length"] = str(length)
    for name, value in reply.headers:
        headers[name] = value
    return headers


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return format_timestamp(second)


def _start_line(status: int) -> ResponseStartLine:
    return ResponseStartLine("HTTP/1.1", status, responses.get(status, "Unknown"))
