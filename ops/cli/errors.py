"""What an error means for the person at the command line: a few lines that say what to do, an exit code."""

from pathlib import Path
from traceback import extract_tb

FAILED = 1
BAD_USAGE = 2

# By their names: to import them would cost `--help` a third of a second.
MEANINGS = {
    "redis.exceptions.AuthenticationError": "Redis refuses the user or password in INVITATIONS_REDIS_URL.",
    "redis.exceptions.BusyLoadingError": "Redis is still loading its data; try again in a moment.",
    "redis.exceptions.OutOfMemoryError": "Redis is full and takes nothing in; see `invitations doctor`.",
    "redis.exceptions.ReadOnlyError": "Redis is a replica; let INVITATIONS_REDIS_URL name the primary.",
    "redis.exceptions.NoPermissionError": "Redis does not let the user in INVITATIONS_REDIS_URL do this.",
    "redis.exceptions.ConnectionError": (
        "Redis does not answer; check INVITATIONS_REDIS_URL and that the server runs."
    ),
    "redis.exceptions.TimeoutError": (
        "Redis does not answer in time; check that the server is well, and port and scheme of INVITATIONS_REDIS_URL:"
        " rediss:// is for one that speaks TLS."
    ),
    "redis.exceptions.RedisError": "Redis refused a command; see `invitations doctor`.",
}
CONFIGURATION_ERROR = "config.errors.ConfigurationError"


class Failure(Exception):
    """An operation that failed; the message says what, and what to do."""


def explain(error: Exception) -> tuple[str, int]:
    """The message and the exit code of an error: no credential, address or value of a job is in it."""
    kinds = [f"{kind.__module__}.{kind.__name__}" for kind in type(error).__mro__]
    if isinstance(error, Failure):
        return str(error), FAILED
    if CONFIGURATION_ERROR in kinds:
        return str(error), BAD_USAGE
    for kind in kinds:
        if kind in MEANINGS:
            return MEANINGS[kind], FAILED
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}.", FAILED
    return _about_a_bug(error), FAILED


def _about_a_bug(error: Exception) -> str:
    frame = extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    return f"Unexpected {type(error).__name__} at {where}: a fault of this program; please report this line."
