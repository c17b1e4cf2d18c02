"""What somebody may have meant who misspelt a name."""

from collections.abc import Iterable
from difflib import get_close_matches

# A longer name is none that was misspelt, and takes long to compare.
LONGEST = 64


def nearest(name: str, known: Iterable[str], likeness: float = 0.7) -> str:
    """The nearest of the `known` names, or '' where none is as like to it as that (0 to 1)."""
    near = get_close_matches(name, list(known), n=1, cutoff=likeness) if len(name) <= LONGEST else []
    return near[0] if near else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean …?` with the nearest of the `known` names, or nothing where none is near."""
    near = nearest(name.lower(), known)
    return f"; did you mean {near}?" if near else ""
