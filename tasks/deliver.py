"""`invitations.deliver`: claim the invitation, call its provider, settle it. The message carries the id alone."""

import random
import time
from dataclasses import replace
from datetime import UTC, datetime
from secrets import token_hex
from threading import Event
from typing import Any

import structlog
from celery import signals
from celery.exceptions import Retry
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from config.accounts import Account
from config.accounts_file import accounts
from config.celery_values import DELIVER_QUEUE
from config.errors import ConfigurationError
from config.settings import PREFIX, settings
from tasks.calls import pipeline, vault
from tasks.decision import History, Policy, Step, backoff_ms, gate_lesson, next_step
from tasks.job import Job
from tasks.outcome import Accepted, Answer, Consented, CredentialsRefused, NotListed, Throttled
from worker.app import app
from worker.connection import patiently
from worker.ledger import NO_ACCOUNT, Claim, NoClaim, ledger
from worker.masking import UnforeseenError
from worker.metrics import INVITATIONS, REQUEST_SECONDS, THROTTLED

log = structlog.get_logger()

NOT_HERE_MS = 60_000
CLAIMED_WITHIN_SECONDS = 10
NO_TIME_LEFT = "Redis took the time that the call had"
NO_ORDER_TO_ASK = "this account requires consent, which is given with an order, and the job names none"
# A customer's yes holds so long, or for two windows of the account's limit: time enough for a place to call.
CONSENT_MS = 3_600_000
NO_KEY = f"this worker's {PREFIX}ENCRYPTION_KEYS lack the key that it was sealed with: see invitations doctor"
ENDED_AT_CLAIM = {"expired": "failed", "suppressed": "suppressed"}
# Set when the worker was asked to end: calls that run end, and nothing new starts.
_ending = Event()


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
    if _ending.is_set():
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


@signals.worker_shutting_down.connect
def _start_nothing_more(**_: object) -> None:
    _ending.set()


def _leave_to_another(invitation: str) -> str:
    """Celery had given it to a thread already: it is announced again. Where that fails, its lease brings it back."""
    try:
        deliver.apply_async((invitation,), task_id=invitation, queue=DELIVER_QUEUE, retry=False)
    except OperationalError as error:
        log.warning("not_announced_again", invitation=invitation, error=type(error).__name__)
    return "left to another worker"


class Delivery:
    """One claimed invitation on its way. `began`: when the claim was asked for (monotonic seconds)."""

    def __init__(self, claim: Claim, began: float) -> None:
        self._claim = claim
        self._began = began
        self._may_have_called = claim.unclear

    def step(self) -> Step:
        """Calls the provider, unless something stands in the way, and decides what follows."""
        claim, account = self._claim, accounts().get(self._claim.account)
        if account is None:
            # As with refused credentials: the account pauses, and one probe now and then finds a worker that knows it.
            refusal = CredentialsRefused("its account is not configured in every worker")
            lesson = gate_lesson(refusal, 0) | {"refused_after": 1, "probe_ms": NOT_HERE_MS}
            return Step("queued", unclear=claim.unclear, **lesson)
        try:
            job = Job.read(vault().open(claim.job))
        except ConfigurationError:
            return Step("queued", NO_KEY, wait_ms=NOT_HERE_MS, unclear=claim.unclear)
        if claim.unclear and account.lists:
            return self._look_up_first(account, job)
        return self._invite(account, job)

    def _invite(self, account: Account, job: Job) -> Step:
        """Calls the provider; where the account requires consent, after the customer's yes."""
        holds_ms = max(CONSENT_MS, 2 * account.limit.period_ms if account.limit else 0)
        if not account.asks_consent or self._claim.now - self._claim.consented_at < holds_ms:
            return self._call(account, job)
        return self._ask_first(account, job)

    def _ask_first(self, account: Account, job: Job) -> Step:
        """The question takes a place in the gate that was given for the call; the call takes another. Where there is
        none now, the yes is kept: else an account with little room would ask for ever and never call."""
        left = self._left(account)
        if left <= 0:
            return Step("queued", NO_TIME_LEFT, unclear=self._claim.unclear)
        said = pipeline().consent(account, job, timeout=left / 2)
        if said is None:
            return Step("rejected", NO_ORDER_TO_ASK)
        if not isinstance(said, Consented):
            return self._next(account, Answer(said))
        ledger().tell(account.gate, account.name, gate_lesson(said, random.random()))
        if ledger().spend(account.gate, account.name, 0) == 0:
            return replace(self._call(account, job), consented=True)
        return Step("queued", "the customer agreed: waits for its turn", unclear=self._claim.unclear, consented=True)

    def _left(self, account: Account) -> float:
        return account.timeout - (time.monotonic() - self._began)

    def _call(self, account: Account, job: Job) -> Step:
        left = self._left(account)
        if left <= 0:
            return Step("queued", NO_TIME_LEFT, unclear=self._claim.unclear)
        self._may_have_called = True
        answer = pipeline().deliver(account, job, timeout=left)
        REQUEST_SECONDS.labels(account.provider, type(answer.outcome).__name__.lower()).observe(answer.seconds)
        return self._next(account, answer)

    def _look_up_first(self, account: Account, job: Job) -> Step:
        """After a call that stayed unanswered the provider's list says whether it had arrived. The look-up takes the
        place in the gate that the delivery was given; to call after it takes another."""
        since = datetime.fromtimestamp(self._claim.created_at / 1000, UTC)
        found = pipeline().look_up(account, job, since, timeout=account.timeout / 2)
        if found is not None and not isinstance(found, NotListed):
            step = self._next(account, Answer(found))
            reached = isinstance(found, Accepted)
            return replace(step, reason="an earlier call had reached the provider") if reached else step
        if ledger().spend(account.gate, account.name, 0) == 0:
            return self._invite(account, job)
        reason = "the provider does not list it: it is sent again" if found else "it is sent again"
        return Step("queued", reason, unclear=found is None)

    def _next(self, account: Account, answer: Answer) -> Step:
        if isinstance(answer.outcome, Throttled):
            THROTTLED.labels(account.name).inc()
        claim = self._claim
        return next_step(
            answer.outcome,
            History(claim.attempts, claim.unclear, claim.probe),
            Policy(account.max_attempts, account.lists),
            jitter=random.random(),
            limits=answer.limits,
        )

    def after_error(self, error: Exception) -> Step:
        """An error of this program: the invitation backs off."""
        log.error("delivery_went_wrong", error=type(error).__name__)
        return Step(
            "queued",
            f"internal error: {type(error).__name__}",
            counts=True,
            unclear=self._may_have_called,
            wait_ms=backoff_ms(self._claim.attempts + 1, random.random()),
        )


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
