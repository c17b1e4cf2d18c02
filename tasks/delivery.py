"""One claimed invitation on its way to its provider: what is asked and called, and what follows from it."""

import random
import time
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from config.accounts import Account
from config.accounts_file import accounts
from config.errors import ConfigurationError
from config.settings import PREFIX
from tasks.calls import pipeline, vault
from tasks.decision import History, Policy, Step, backoff_ms, gate_lesson, next_step
from tasks.job import Job
from tasks.outcome import Accepted, Answer, Consented, CredentialsRefused, NotListed, Throttled
from tasks.waiting import AGAIN, AGREED, NO_TIME_LEFT, NOT_LISTED
from worker.claims import Claim
from worker.ledger import ledger
from worker.metrics import THROTTLED

log = structlog.get_logger()

NOT_HERE_MS = 60_000
# A customer's yes holds so long, or for two windows of the account's limit: time enough for a place to call.
CONSENT_MS = 3_600_000
NO_ORDER_TO_ASK = "this account requires consent, which is given with an order, and the job names none"
NO_KEY = f"this worker's {PREFIX}ENCRYPTION_KEYS lack the key that it was sealed with: see invitations doctor"


class Delivery:
    """One claimed invitation on its way."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
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
            return Step("queued", NO_KEY, wait_ms=NOT_HERE_MS, unclear=claim.unclear, uncalled=True)
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
        return Step("queued", AGREED, unclear=self._claim.unclear, consented=True)

    def _left(self, account: Account) -> float:
        return account.timeout - (time.monotonic() - self._claim.asked_at)

    def _call(self, account: Account, job: Job) -> Step:
        left = self._left(account)
        if left <= 0:
            return Step("queued", NO_TIME_LEFT, unclear=self._claim.unclear)
        self._may_have_called = True
        answer = pipeline().deliver(account, job, timeout=left)
        return self._next(account, answer)

    def _look_up_first(self, account: Account, job: Job) -> Step:
        """After a call that stayed unanswered the provider's list says whether it had arrived. The look-up takes the
        place in the gate that the delivery was given; to call after it takes another."""
        left = self._left(account)
        if left <= 0:
            return Step("queued", NO_TIME_LEFT, unclear=True)
        since = datetime.fromtimestamp(self._claim.created_at / 1000, UTC)
        found = pipeline().look_up(account, job, since, timeout=left / 2)
        if found is not None and not isinstance(found, NotListed):
            step = self._next(account, Answer(found))
            reached = isinstance(found, Accepted)
            return replace(step, reason="an earlier call had reached the provider") if reached else step
        if ledger().spend(account.gate, account.name, 0) == 0:
            return self._invite(account, job)
        reason = NOT_LISTED if found else AGAIN
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
