"""What every contract test needs: a pipeline, tokens, and a watch over what is said aloud."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import structlog

from tasks.providers.pipeline import Pipeline

NOW = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)


class MemoryTokens:
    """Tokens as worker.tokens keeps them, in this process alone."""

    def __init__(self) -> None:
        self.token: str | None = None

    def get(
        self,
        client: str,
        fetch: Callable[[], tuple[str, int]],
        *,
        secret: str,
        timeout: float,
        refused: str | None = None,
    ) -> str:
        if self.token is None or self.token == refused:
            self.token, _ = fetch()
        return self.token


class Overheard:
    """Everything that was logged, at every level, and every text that a test adds."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog
        self._said: list[str] = []
        self.events: list[structlog.typing.EventDict] = []

    def say(self, *things: object) -> None:
        self._said += [f"{thing} {thing!r}" for thing in things]

    def tells(self, private: list[str]) -> list[str]:
        """Which of the `private` texts were said."""
        everything = "\n".join([self._caplog.text, str(self.events), *self._said])
        return [text for text in private if text in everything]


@pytest.fixture
def overheard(caplog: pytest.LogCaptureFixture) -> Iterator[Overheard]:
    caplog.set_level("DEBUG")
    for name in ("urllib3", "urllib3.connectionpool", "urllib3.connection", "requests"):
        caplog.set_level("DEBUG", logger=name)
    watch = Overheard(caplog)
    with structlog.testing.capture_logs() as watch.events:
        yield watch


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline(MemoryTokens(), now=lambda: NOW)
