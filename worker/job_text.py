"""The job as it stands in a record: in pieces, or a long one and one of an earlier version whole (see lua/job.lua)."""

from collections.abc import Iterable

FIELDS = ("job", *(f"job{place}" for place in range(1, 9)))


def joined(parts: Iterable[str | None]) -> str:
    """The sealed job, of what stands in FIELDS; empty where nothing of it is kept."""
    return "".join(part for part in parts if part)
