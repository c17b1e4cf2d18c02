"""The Retry-After header: how it is written, and until when it binds the account that got it."""

from email.utils import formatdate, parsedate_to_datetime

from ops.simulator.limits import NS_PER_SECOND
from ops.simulator.options import RetryAfterStyle


def retry_after_text(style: RetryAfterStyle, at_ns: int, wait_ns: int) -> str | None:
    """The header for a wait of `wait_ns` from `at_ns`, rounded up to whole seconds; None for no header."""
    match style:
        case "seconds":
            return str(_seconds_up(wait_ns))
        case "date":
            return formatdate(_seconds_up(at_ns + wait_ns), usegmt=True)
        case "none":
            return None


def retry_after_ends(text: str, at_ns: int) -> int | None:
    """When a Retry-After given at `at_ns` ends (ns, wall clock); None for neither seconds nor a date."""
    if text.isascii() and text.isdigit():
        return at_ns + int(text) * NS_PER_SECOND
    try:
        return int(parsedate_to_datetime(text).timestamp()) * NS_PER_SECOND
    except (ValueError, OverflowError):
        return None


def _seconds_up(ns: int) -> int:
    return -(-ns // NS_PER_SECOND)
