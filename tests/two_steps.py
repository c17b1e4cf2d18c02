"""A ledger that takes in two steps, as workers of 0.1.0 did: what is let through, and then each under its lease.

A worker does both in one script (take.lua); a test looks at what lies between, and at one of them alone.
"""

from collections.abc import Sequence
from secrets import token_hex
from time import monotonic
from typing import Any

from redis import Redis

import worker.ledger
from worker.claims import Claim, NoClaim, read_claim
from worker.ledger import FOR_NEWER_MS, PROBE_MS, QUANTUM, Ledger
from worker.scripts import joined

ADMIT = """
local wait, unconfigured, ids = admit()
return {wait, unconfigured, unpack(ids)}"""
CLAIM = """
return claim(ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5])"""


class TwoStepLedger(Ledger):
    """`registry`: who registers the scripts, where it is not the client itself."""

    def __init__(self, client: Redis, registry: Any = None) -> None:
        super().__init__(client)
        registry = registry or client
        self._admit = registry.register_script(joined("prelude", "not_full", "limits", "admit") + ADMIT)
        self._claim = registry.register_script(joined("prelude", "even_full", "limits", "job", "claim") + CLAIM)

    def admit(self, room: int, lease_ms: int) -> tuple[int | None, list[str]]:
        """Lets through what may pass now, `room` at most: milliseconds until the next look, and the ids."""
        wait, unknown, *ids = self._admit(args=[room, lease_ms, QUANTUM, PROBE_MS])
        if int(unknown) and self._configured:
            self.configure(self._configured)
            return 0, ids
        return (None if int(wait) < 0 else int(wait)), ids

    def claim(self, invitation: str, lease_ms: int, by: str = "") -> Claim | NoClaim:
        """The claim, or why there is none. Who claims again under the same name is given the same claim again."""
        return self.claim_many([invitation], lease_ms, [by or token_hex(4)])[0]

    def claim_many(self, ids: Sequence[str], lease_ms: int, names: Sequence[str]) -> list[Claim | NoClaim]:
        """The same for several, in one round trip."""
        with self.redis.pipeline(transaction=False) as pipe:
            for invitation, by in zip(ids, names, strict=True):
                self._claim(args=[invitation, lease_ms, worker.ledger.NEWEST, FOR_NEWER_MS, by], client=pipe)
            answers = pipe.execute()
        now = monotonic()
        return [read_claim(invitation, answer, now) for invitation, answer in zip(ids, answers, strict=True)]
