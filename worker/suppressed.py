"""The opt-out list: digests of the addresses that asked for no invitations, of one account or of all of them."""

from collections.abc import Iterable, Sequence
from typing import cast

from worker.ledger import Ledger

ALL = "invitations:suppressed"


class OptOuts:
    """`account` is None for all accounts. Raises redis.RedisError where Redis is away."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def add(self, digests: Iterable[str], account: str | None) -> int:
        """Returns how many of them are new. One that is there already keeps its time."""
        return self._ledger.opt_out(_key(account), list(digests))

    def remove(self, digests: Sequence[str], account: str | None) -> None:
        if digests:
            self._ledger.redis.hdel(_key(account), *digests)

    def since(self, digests: Sequence[str], account: str | None) -> list[int | None]:
        """When each of them was added (ms since the epoch), None for one that is not there."""
        found = cast(list[str | None], self._ledger.redis.hmget(_key(account), list(digests))) if digests else []
        return [int(at) if at else None for at in found]


def _key(account: str | None) -> str:
    return f"{ALL}:{account}" if account else ALL
