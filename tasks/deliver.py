"""`invitations.deliver`: claim the invitation, call its provider, settle it. The message carries the id alone."""

import time
from secrets import token_hex
from typing import Any

import structlog
from celery import signals
from celery.exceptions import Retry
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from config.accounts_file import accounts
from config.celery_values import DELIVER_QUEUE
from config.settings import settings
from tasks.decision import Step
from tasks.delivery import Delivery
from worker.app import app
from worker.connection import patiently
from worker.ending import ending
from worker.ledger import NO_ACCOUNT, Claim, NoClaim, ledger
from worker.masking import UnforeseenError
from worker.metrics import INVITATIONS

log = structlog.get_logger()

CLAIMED_WITHIN_SECONDS = 10
ENDED_AT_CLAIM = {"expired": "failed", "suppressed": "suppressed"}


class StillWaiting(Exception):
    """Why an invitation went back in line; shown in Flower beside the state RETRY."""


class DeliveryError(UnforeseenError):
    """Something in this program went wrong, or Redis is away; the invitation went back in line, or does when its lease
    ends."""


@app.task(name="invitations.deliver", ignore_result=True, throws=(DeliveryError,))
def deliver(*ids: Any, **options: Any) -> str:
    """Delivers one invitation, by its id, if it is still this worker's to deliver. Returns the state it came to.

    Raises:
        celery.exceptions.Retry: nothing is published; it tells Flower that the invitation waits in line.
        DeliveryError: naming the type of an unforeseen error, never its text.
    """
    if options or len(ids) != 1 or not isinstance(ids[0], str):
        # Not from a pacer of ours; what else Celery would say of it repeats parts of it.
        log.error("announced_without_an_id")
        return "no invitation"
    if ending.is_set():
        return _leave_to_another(ids[0])
    try:
        return _deliver(ids[0])
    except RedisError as error:
        log.error("redis_is_away", invitation=ids[0], error=type(error).__name__)
        raise DeliveryError(type(error).__name__) from None


def _deliver(invitation: str) -> str:
    # The lease runs from the claim; what the claim takes on its way back is not to be added to the call.
    began = time.monotonic()
    keep_trying = patiently(CLAIMED_WITHIN_SECONDS)
    claim = keep_trying(ledger().claim, invitation, settings().lease_seconds * 1000, token_hex(4))
    if isinstance(claim, NoClaim):
        if claim.why in ENDED_AT_CLAIM:
            _count(claim.account, ENDED_AT_CLAIM[claim.why])
        return claim.why
    with structlog.contextvars.bound_contextvars(invitation=invitation, account=claim.account):
        delivery = Delivery(claim, began)
        try:
            step = delivery.step()
        except RedisError:
            # What a call needs of Redis it needs before: this one was not made.
            step = Step("queued", "Redis was away", unclear=claim.unclear)
        except Exception as error:
            _settle(claim, delivery.after_error(error))
            raise DeliveryError(type(error).__name__) from None
        return _settle(claim, step)


def _leave_to_another(invitation: str) -> str:
    """Celery had given it to a thread already: it is announced again. Where that fails, its lease brings it back."""
    try:
        deliver.apply_async((invitation,), task_id=invitation, queue=DELIVER_QUEUE, retry=False)
    except OperationalError as error:
        log.warning("not_announced_again", invitation=invitation, error=type(error).__name__)
    return "left to another worker"


def _settle(claim: Claim, step: Step) -> str:
    # An answer that is not written down makes a call that has to be repeated.
    keep_trying = patiently(settings().lease_seconds)
    state, applied = keep_trying(ledger().settle, claim.id, claim.token, step.as_dict())
    if applied:
        log.info("invitation_settled", state=state, reason=step.reason)
        _count(claim.account, state)
    if applied and state == "queued":
        raise Retry(step.reason, StillWaiting(step.reason))
    return state


def _count(account: str, state: str) -> None:
    known = accounts().get(account)
    INVITATIONS.labels(account, known.provider if known else NO_ACCOUNT, state).inc()


@signals.task_revoked.connect(sender=deliver)
def cancel_revoked(request: object, **_: object) -> None:
    """Revoked by a person, in Flower: Celery would drop every further message, so the invitation is cancelled."""
    ledger().cancel(str(getattr(request, "id", "")), "revoked in Celery")
