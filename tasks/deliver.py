"""`invitations.deliver`: calls the provider of a claimed invitation, and settles it."""

from typing import Any

import structlog
from celery import signals
from celery.exceptions import Retry
from celery.worker.state import revoked
from redis.exceptions import RedisError

from config.settings import settings
from tasks.decision import Step
from tasks.delivery import Delivery
from tasks.waiting import AWAY, LEFT
from worker.app import app
from worker.claims import Claim
from worker.connection import patiently
from worker.ending import ending
from worker.ledger import ledger
from worker.masking import UnforeseenError, scrub
from worker.metrics import count
from worker.steering import REVOKED
from worker.tracing import tracing

log = structlog.get_logger()

# The pacer waits for it meanwhile; where Redis is away the lease brings the invitation back, and it is revoked then.
REVOKED_WITHIN_SECONDS = 2


class DeliveryError(UnforeseenError):
    """Something in this program went wrong, or Redis is away; the invitation went back in line, or does when its lease
    ends."""


@app.task(name="invitations.deliver", ignore_result=True, throws=(DeliveryError,))
def deliver(*_: Any, **__: Any) -> str:
    """Delivers one invitation, which the pacer claimed. Returns the state it came to. A message of a client delivers
    nothing: it holds no claim.

    Raises:
        celery.exceptions.Retry: nothing is published; it tells Flower that the invitation waits in line, and why.
        DeliveryError: naming the type of an unforeseen error, never its text.
    """
    claim: Claim | None = getattr(deliver.request, "claim", None)
    if claim is None:
        log.error("delivery_by_message", hint="workers take from the ledger what is due; send jobs to invitations.send")
        return "no claim"
    try:
        return _deliver(claim)
    except RedisError as error:
        log.error("redis_is_away", invitation=claim.id, error=type(error).__name__)
        raise DeliveryError(type(error).__name__) from None


def _deliver(claim: Claim) -> str:
    with (
        structlog.contextvars.bound_contextvars(invitation=claim.id, account=claim.account),
        tracing.attempt(claim.trace, id=claim.id, account=claim.account, attempts=claim.attempts),
    ):
        if ending.is_set():
            return _settle(claim, Step("queued", LEFT, unclear=claim.unclear, uncalled=True))
        delivery = Delivery(claim)
        try:
            step = delivery.step()
        except RedisError:
            # What a call needs of Redis it needs before: this one was not made.
            step = Step("queued", AWAY, unclear=claim.unclear)
        except Exception as error:
            _settle(claim, delivery.after_error(error))
            raise DeliveryError(type(error).__name__) from None
        return _settle(claim, step)


def _settle(claim: Claim, step: Step) -> str:
    # An answer that is not written down makes a call that has to be repeated.
    state, applied = _write_down(claim, step, settings().lease_seconds)
    if applied and state == "queued":
        if claim.id in revoked and ledger().cancel(claim.id, REVOKED)[0] == "cancelled":
            return "cancelled"
        raise Retry(step.reason)
    return state


def _write_down(claim: Claim, step: Step, seconds: float) -> tuple[str, bool]:
    state, applied = patiently(seconds)(ledger().settle, claim.id, claim.token, step.as_dict())
    if applied:
        event = "invitation_back_in_line" if state == "queued" else "invitation_settled"
        log.info(event, state=state, reason=step.reason)
        tracing.tell(state=state, reason=scrub(step.reason))
        count(claim.account, state)
    return state, applied


@signals.task_revoked.connect(sender=deliver)
def cancel_revoked(request: object, **_: object) -> None:
    """Revoked by a person, in Flower: this worker would begin no further delivery of it, so the invitation is
    cancelled."""
    claim: Claim | None = getattr(request, "claim", None)
    if claim:
        with structlog.contextvars.bound_contextvars(invitation=claim.id, account=claim.account):
            _write_down(claim, Step("cancelled", REVOKED), REVOKED_WITHIN_SECONDS)
    else:
        ledger().cancel(str(getattr(request, "id", "")), REVOKED)
