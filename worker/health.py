"""Whether the worker or beat beside this process works: `python -m worker.health worker` and `… beat`.

Run every few seconds in every container, so it looks at the age of one file (worker/sign_of_life.py) and imports what
costs time, settings and Redis, only where that does not tell. Exit code 0 or 1, and a line that says why.
"""

import os
import sys
import time
from pathlib import Path

FRESH_SECONDS = 30
VARIABLE = "INVITATIONS_HEALTH_FILE"
USAGE = "usage: python -m worker.health worker|beat"
DID = {
    "worker": "the pacer looked at the gates and Redis answered",
    "beat": "beat had its lock and looked at the schedule",
}


def main(arguments: list[str]) -> int:
    """Prints why, and returns the exit code: 0 where it works, 1 where it does not, 2 for bad usage."""
    if len(arguments) != 1 or arguments[0] not in DID:
        print(USAGE, file=sys.stderr)
        return 2
    works, why = look(arguments[0])
    print(why)
    return 0 if works else 1


def look(role: str) -> tuple[bool, str]:
    """Whether the `role`, "worker" or "beat", that shares its settings with this process works, and why."""
    file = os.environ.get(VARIABLE) or _configured()
    if not file:
        return False, f"{VARIABLE} is not set, here or for the {role}: expected the name of a file, the same for both"
    works, why = _fresh(Path(file), DID[role])
    if role == "beat" and not works and _another_beat():
        return True, "stands by: another beat holds the lock"
    return works, why


def _fresh(file: Path, did: str) -> tuple[bool, str]:
    try:
        age = time.time() - file.stat().st_mtime
    except OSError:
        return False, f"{did}: not yet, for there is no {file}"
    return age < FRESH_SECONDS, f"{did}: {age:.0f} s ago" + ("" if age < FRESH_SECONDS else ", which is too long")


def _configured() -> str:
    from config.errors import ConfigurationError  # noqa: PLC0415
    from config.settings import settings  # noqa: PLC0415

    try:
        return str(settings().health_file or "")
    except ConfigurationError as error:
        sys.exit(str(error))


def _another_beat() -> bool:
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.exceptions import RedisError  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    from config.celery_values import BEAT_LOCK  # noqa: PLC0415
    from worker.connection import redis  # noqa: PLC0415

    client = redis()
    client.set_retry(Retry(NoBackoff(), 0))
    try:
        return bool(client.exists(BEAT_LOCK))
    except RedisError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
