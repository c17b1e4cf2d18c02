"""What a worker does with what may pass, without a worker: it takes, and it delivers."""

from itertools import count
from time import monotonic

from tasks.deliver import deliver
from worker.claims import Claim
from worker.ledger import ledger

LEASE_MS = 60_000
TAKES = count()


def take() -> dict[str, Claim]:
    """By id what may pass now, claimed."""
    _, taken = ledger().take(100, LEASE_MS, "test", next(TAKES), monotonic())
    return {invitation: claim for invitation, claim in taken.items() if isinstance(claim, Claim)}


def deliver_claim(claim: Claim) -> str:
    """The state that its delivery came to. Raises celery.exceptions.Retry where it waits again."""
    deliver.push_request(id=claim.id, claim=claim)
    try:
        return str(deliver.run(claim.id))
    finally:
        deliver.pop_request()
