"""The benchmark's provider, a process of its own: `python -m ops.bench.provider PORT`. Loopback only.

It answers Wemasy's invite call, a great deal faster than any client here makes it, and is told its terms and asked what
came at paths that begin with an underscore:

- `POST /_terms` with `{token: terms}` sets the terms of accounts, which begin afresh;
- `GET /_stats` is `{token: counts}`, and `GET /_accepted/TOKEN` is `{address: nanoseconds}` (`time.monotonic_ns`).
"""

import asyncio
import json
import sys
import time
from collections import defaultdict
from typing import Any

from ops.bench.account import Account
from ops.bench.terms import Terms
from ops.bench.wire import Request, Unreadable, invite_reply, json_reply, take_request

INVITE = "/api/services/webshop/v1/customers/invite"
LOOPBACK = "127.0.0.1"


class Accounts(defaultdict[str, Account]):
    """By token. An account that nobody set terms for has no limit."""

    def __init__(self) -> None:
        super().__init__(lambda: Account(Terms()))

    def answer(self, request: Request, at_ns: int) -> tuple[bytes, int]:
        """The answer, and how many milliseconds later it leaves."""
        if request.path == INVITE and request.method == "POST":
            account = self[request.token]
            email = json.loads(request.body)["email"]
            return invite_reply(account.call(email, at_ns), account.terms), account.terms.latency_ms
        return self._tell(request), 0

    def _tell(self, request: Request) -> bytes:
        if request.path == "/_terms":
            told: dict[str, dict[str, Any]] = json.loads(request.body)
            self.update({token: Account(Terms(**terms)) for token, terms in told.items()})
            return json_reply({})
        if request.path == "/_stats":
            return json_reply({token: account.stats() for token, account in self.items()})
        if request.path.startswith("/_accepted/"):
            return json_reply(self[request.path.removeprefix("/_accepted/")].accepted)
        return json_reply({"error": "unknown path"}, 404)


class Connection(asyncio.Protocol):
    """One client; its calls are answered in the order in which they came."""

    def __init__(self, accounts: Accounts, loop: asyncio.AbstractEventLoop) -> None:
        self._accounts = accounts
        self._loop = loop
        self._buffer = bytearray()
        self._at_ns = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._buffer:
            self._at_ns = time.monotonic_ns()
        self._buffer += data
        try:
            while request := take_request(self._buffer):
                self._send(*self._accounts.answer(request, self._at_ns))
        except (Unreadable, ValueError, KeyError, TypeError):
            self._transport.write(json_reply({"error": "unreadable"}, 400))
            self._transport.close()

    def _send(self, reply: bytes, after_ms: int) -> None:
        if after_ms:
            self._loop.call_later(after_ms / 1000, self._transport.write, reply)
        else:
            self._transport.write(reply)


async def serve(port: int) -> None:
    """Until it is cancelled. Raises OSError where the port is taken."""
    loop = asyncio.get_running_loop()
    accounts = Accounts()
    server = await loop.create_server(lambda: Connection(accounts, loop), LOOPBACK, port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
