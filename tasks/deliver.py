"""`invitations.deliver`: claim the invitation, call its provider, settle it. The message carries the id alone."""

import random
from datetime import UTC, datetime
from functools import cache

import structlog
from celery.exceptions import Retry

from config.accounts import Account
from config.accounts_file import accounts
from config.settings import settings
from tasks.decision import History, Policy, Step, backoff_ms, next_step
from tasks.job import Job
from tasks.outcome import Answer, Throttled
from tasks.providers.deadline import Deadline
from tasks.providers.pipeline import Pipeline
from worker.app import app
from worker.connection import redis
from worker.ledger import NO_ACCOUNT, VERSION, Claim, NoClaim, ledger
from worker.metrics import INVITATIONS, REQUEST_SECONDS, THROTTLED
from worker.tokens import SharedTokens
from worker.vault import Vault

log = structlog.get_logger()

NOT_HERE_MS = 60_000


class StillWaiting(Exception):
    """Why an invitation went back in line; shown in Flower beside the state RETRY."""


class DeliveryError(Exception):
    """Something in this program went wrong; the invitation went back in line."""


@app.task(name="invitations.deliver", ignore_result=True)
def deliver(invitation: str) -> str:
    """Delivers one invitation, if it is still this worker's to deliver. Returns the state it came to.

    Raises:
        celery.exceptions.Retry: nothing is published; it tells Flower that the invitation waits in line.
        DeliveryError: naming the type of an unforeseen error, never its text.
    """
    claim = ledger().claim(invitation, settings().lease_seconds * 1000)
    if isinstance(claim, NoClaim):
        if claim.why == "expired":
            _count(claim.account, "failed")
        return claim.why
    with structlog.contextvars.bound_contextvars(invitation=invitation, account=claim.account):
        try:
            step = _deliver(claim)
        except Exception as error:
            _settle(claim, _after_error(claim, error))
            raise DeliveryError(type(error).__name__) from None
        return _settle(claim, step)


def _deliver(claim: Claim) -> Step:
    account = accounts().get(claim.account)
    if account is None:
        return Step(
            "queued", "its account is not configured here", wait_ms=NOT_HERE_MS, unclear=claim.unclear
        )
    if claim.version > VERSION:
        return Step("queued", "written by a newer version", wait_ms=NOT_HERE_MS, unclear=claim.unclear)
    job = Job.read(vault().open(claim.job))
    deadline = Deadline(account.timeout)
    answer = _found_at_provider(account, job, claim) or pipeline().deliver(
        account, job, timeout=deadline.left()
    )
    _measure(account, answer)
    return next_step(
        answer.outcome,
        History(claim.attempts, claim.unclear, claim.probe),
        Policy(account.max_attempts, account.lists),
        jitter=random.random(),
        limits=answer.limits,
    )


def _found_at_provider(account: Account, job: Job, claim: Claim) -> Answer | None:
    """After a call that stayed unanswered: the provider's list says whether it had arrived, where there is a list."""
    if not (claim.unclear and account.lists) or ledger().spend(account.gate, account.name, 0):
        return None
    since = datetime.fromtimestamp(claim.created_at / 1000, UTC)
    found = pipeline().look_up(account, job, since, timeout=account.timeout / 2)
    return Answer(found) if found else None


def _measure(account: Account, answer: Answer) -> None:
    outcome = type(answer.outcome).__name__.lower()
    REQUEST_SECONDS.labels(account.provider, outcome).observe(answer.seconds)
    if isinstance(answer.outcome, Throttled):
        THROTTLED.labels(account.name).inc()


def _after_error(claim: Claim, error: Exception) -> Step:
    log.error("delivery_went_wrong", error=type(error).__name__)
    return Step(
        "queued",
        f"internal error: {type(error).__name__}",
        counts=True,
        unclear=True,
        wait_ms=backoff_ms(claim.attempts + 1, random.random()),
    )


def _settle(claim: Claim, step: Step) -> str:
    state, applied = ledger().settle(claim.id, claim.token, step.as_dict())
    if applied:
        log.info("invitation_settled", state=step.state, reason=step.reason)
        _count(claim.account, step.state)
    if applied and step.state == "queued":
        raise Retry(step.reason, StillWaiting(step.reason))
    return state


def _count(account: str, state: str) -> None:
    known = accounts().get(account)
    INVITATIONS.labels(account, known.provider if known else NO_ACCOUNT, state).inc()


@cache
def pipeline() -> Pipeline:
    """This process's pipeline to the providers."""
    return Pipeline(SharedTokens(redis()))


@cache
def vault() -> Vault:
    """This process's vault."""
    return Vault.of(settings())
