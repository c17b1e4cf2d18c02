"""One time limit over everything that a call is made of."""

from time import monotonic


class Deadline:
    """Ends `seconds` from now, by a clock that nobody sets."""

    def __init__(self, seconds: float) -> None:
        self._end = monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left; zero or less once it is over."""
        return self._end - monotonic()

    def check(self) -> float:
        """Seconds that are left. Raises TimeoutError once it is over."""
        if (left := self.left()) <= 0:
            raise TimeoutError("the time for the call is over")
        return left
