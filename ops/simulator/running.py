"""Running the simulator: as a process of its own, or in a thread of a test."""

import asyncio
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Self, TypeVar

from pydantic_core import to_json

from ops.simulator.control import parse_changes
from ops.simulator.options import SimulatorOptions
from ops.simulator.server import SimulatorServer
from ops.simulator.state import Stats

T = TypeVar("T")


def serve(options: SimulatorOptions) -> None:
    """Run until SIGTERM or SIGINT, then close every connection and return. Call it from the main thread.

    Prints one line with its address when it listens. Raises OSError where it cannot listen.
    """
    asyncio.run(_serve(options))


async def _serve(options: SimulatorOptions) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = SimulatorServer(options)
    print(f"Provider simulator listens on {server.start()}", flush=True)
    await stopped.wait()
    await server.stop()


class RunningSimulator:
    """A simulator in a background thread with an event loop of its own; a context manager.

    `url` is its address, "http://127.0.0.1:<port>". Without options it takes any free port.
    Starting raises OSError where it cannot listen.
    """

    def __init__(self, options: SimulatorOptions | None = None) -> None:
        self._options = options or SimulatorOptions(port=0)
        self._started: Future[tuple[str, SimulatorServer, asyncio.AbstractEventLoop]] = Future()
        self._stopped = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.url, self._server, self._loop = self._started.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()

    def stats(self) -> Stats:
        """What `GET /_stats` answers."""
        return self._in_loop(self._server.engine.state.stats)

    def calls(self) -> list[dict[str, object]]:
        """What `GET /_calls` answers, oldest first."""
        return self._in_loop(self._server.engine.state.calls)

    def control(self, **changes: object) -> None:
        """What `POST /_control` does. Raises ValueError that names the field that is wrong."""
        parsed = parse_changes(to_json(changes))
        self._in_loop(lambda: self._server.engine.change(parsed))

    def _in_loop(self, read: Callable[[], T]) -> T:
        async def run() -> T:
            return read()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        try:
            server = SimulatorServer(self._options)
            url = server.start()
        except OSError as error:
            self._started.set_exception(error)
            return
        self._started.set_result((url, server, asyncio.get_running_loop()))
        await self._stopped.wait()
        await server.stop()
