"""A process that enqueues for a peer. It ends with its standard input, so with whoever started it."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence

END_SECONDS = 5.0


class PeerError(Exception):
    """A peer did not do what it was asked; the message says which."""


class Enqueuer:
    """The process reads lines, each a JSON `[token, jobs]`, and answers each with the seconds that enqueuing took."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], redis_url: str) -> None:
        self.redis_url = redis_url
        self._name = name
        self._process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def enqueue(self, token: str, jobs: Sequence[dict[str, object]]) -> float:
        """Returns seconds.

        Raises:
            PeerError: the process ended before it answered.
        """
        process = self._process
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(json.dumps([token, jobs]) + "\n")
            process.stdin.flush()
            return float(process.stdout.readline())
        except (BrokenPipeError, ValueError):
            raise PeerError(
                f"{self._name} did not enqueue; what its process wrote before this line says why."
            ) from None

    def close(self) -> None:
        """Ends the process, by force if five seconds are not enough."""
        try:
            self._process.communicate(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
