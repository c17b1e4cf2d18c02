"""What the storms came to, as the table that `make resilience` prints and the README shows."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One fault. `injected`: how often; `lost`: invitations that did not come to `accepted` or `sent`; `repeated`:
    calls that the provider processed though it had the invitation; `recovered`: longest time in seconds from the end
    of the fault to the next delivery."""

    fault: str
    injected: int
    invitations: int
    lost: int
    repeated: int
    recovered: float

    def __add__(self, other: "Row") -> "Row":
        return Row(
            self.fault,
            self.injected + other.injected,
            self.invitations + other.invitations,
            self.lost + other.lost,
            self.repeated + other.repeated,
            max(self.recovered, other.recovered),
        )


HEAD = ("fault", "times injected", "invitations", "lost", "repeated", "recovered after")


def table(rows: Iterable[Row]) -> str:
    """The rows in Markdown; those of one fault as one."""
    merged: dict[str, Row] = {}
    for row in rows:
        merged[row.fault] = row + merged[row.fault] if row.fault in merged else row
    cells = [
        (row.fault, row.injected, f"{row.invitations:,}", row.lost, row.repeated, f"{row.recovered:.1f} s")
        for row in merged.values()
    ]
    lines = [HEAD, ("---", *("---:",) * (len(HEAD) - 1)), *cells]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
