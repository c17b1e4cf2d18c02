"""What the health check of a worker or of beat looks at: a file that it touches while it does its work."""

from pathlib import Path
from time import monotonic

import structlog

from config.settings import PREFIX

log = structlog.get_logger()

EVERY_SECONDS = 1.0


class SignOfLife:
    """The file, or none where none is configured. One that cannot be written is said once and costs no delivery."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._given = 0.0

    def give(self) -> None:
        """Call it whenever the work went well and Redis answered: a busy worker's file is touched once a second."""
        if self._path is None or monotonic() - self._given < EVERY_SECONDS:
            return
        try:
            self._path.touch()
            self._given = monotonic()
        except OSError as error:
            hint = f"{PREFIX}HEALTH_FILE: expected a file in a folder that this process may write"
            log.warning("health_file_is_not_written", error=type(error).__name__, hint=hint)
            self._path = None
