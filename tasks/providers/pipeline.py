"""The one way to every provider: build, authorise, send, read. Outcomes are returned, never raised."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from time import perf_counter
from typing import Any, TypeVar

from config.accounts import Account
from tasks.delay import in_ms
from tasks.job import Job
from tasks.outcome import (
    Accepted,
    Answer,
    Consented,
    CredentialsRefused,
    NotListed,
    Outcome,
    Suppressed,
    Throttled,
    Unavailable,
    Unclear,
)
from tasks.providers import PROVIDERS
from tasks.providers.base import Provider, Reply, Request, TokenCall, Tokens
from tasks.providers.deadline import Deadline
from tasks.providers.http import send
from tasks.providers.listing import Page
from tasks.providers.meaning import clock, limits, meaning, utc_now
from worker.address import one_spelling

T = TypeVar("T")
PAGE_SIZE = 100
_SERVER_ERRORS = 500
CLOCK_MARGIN = timedelta(minutes=2)
NO_PLAIN_CONSENT = "it could not be learned whether the customer agreed"
NO_TOKEN_YET = "another worker is still fetching the access token"
NO_TOKEN_GIVEN = "the answer to the token request holds no access token: check client_id and client_secret"


class _NoToken(Exception):
    """No access token, and what that comes to for the call that needed one."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(outcome)


class Pipeline:
    """Calls providers. One may serve all threads of a process.

    `now` tells the time (aware), for dates in answers and for delays; elapsed time is measured apart from it.
    """

    def __init__(
        self,
        tokens: Tokens,
        providers: Mapping[str, Provider[Any]] = PROVIDERS,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._tokens = tokens
        self._providers = providers
        self._now = now

    def deliver(self, account: Account, job: Job, *, timeout: float) -> Answer:
        """Asks the account's provider to invite, within `timeout` seconds, a token's renewal included."""
        started = perf_counter()
        provider = self._providers[account.provider]
        read: Callable[[Reply], Outcome | None] = partial(provider.read, account, job)
        outcome: Outcome
        reply: Reply | None
        now = self._now().astimezone(account.zone)
        request = provider.dated(account, job, provider.invitation(account, job), now)
        outcome, reply = self._call(account, request, read, Deadline(timeout))
        if isinstance(outcome, Accepted):
            outcome = replace(outcome, scheduled_in_ms=self._scheduled_in_ms(account, provider, job))
        said = limits(reply, provider.rate_window_ms) if reply else None
        return Answer(outcome, said, perf_counter() - started)

    def list_page(self, account: Account, *, offset: int, size: int, timeout: float) -> Page | Outcome:
        """At most `size` (1-100) invitations after the newest `offset`; anything but success is its outcome.

        Raises:
            ValueError: the account's provider lists no invitations.
        """
        provider = self._providers[account.provider]
        request = provider.list_request(account, offset, size)
        if request is None:
            raise ValueError(f"{account.provider} lists no invitations: ask its `lists` first")
        read: Callable[[Reply], Page | Outcome | None] = partial(provider.read_list, account)
        result: Page | Outcome
        result, _ = self._call(account, request, read, Deadline(timeout))
        return result

    def can_check(self, account: Account) -> bool:
        """Whether the account's provider has a call that tells of its credentials and invites nobody."""
        provider = self._providers[account.provider]
        return provider.lists or provider.token_call(account) is not None

    def check(self, account: Account, *, timeout: float) -> Outcome | None:
        """Makes that call: None where the provider takes the credentials, else what the call came to. An access token
        that is kept already was fetched with them, and is not fetched again.

        Raises:
            ValueError: the account's provider has no such call.
        """
        fetching = self._providers[account.provider].token_call(account)
        if fetching is None:
            page = self.list_page(account, offset=0, size=1, timeout=timeout)
            return None if isinstance(page, Page) else page
        try:
            self._token(account, fetching, Deadline(timeout))
        except _NoToken as none:
            return none.outcome
        return None

    def look_up(self, account: Account, job: Job, since: datetime, *, timeout: float) -> Outcome | NotListed | None:
        """The job's invitation, if its provider lists it among the newest 100 and made it after `since` (aware; two
        minutes are allowed for clocks that differ): Accepted.

        NotListed where it is certain that it is not there, None where that is not; what a call came to that brought
        no list.

        Raises:
            ValueError: the account's provider lists no invitations.
        """
        page = self.list_page(account, offset=0, size=PAGE_SIZE, timeout=timeout)
        if not isinstance(page, Page):
            return page
        for row in page.rows:
            same = one_spelling(row.email) == one_spelling(job.email) and row.order == job.order
            if same and row.created >= since - CLOCK_MARGIN:
                ahead = (row.scheduled or row.created) - self._now()
                return Accepted(scheduled_in_ms=max(ahead // timedelta(milliseconds=1), 0))
        if page.unreadable:
            return None
        reaches_back = page.received < PAGE_SIZE or page.rows[-1].created < since - CLOCK_MARGIN
        return NotListed() if reaches_back else None

    def consent(self, account: Account, job: Job, *, timeout: float) -> Consented | Outcome | None:
        """Asks the account's provider whether the customer of the job's order agreed to be invited.

        A no is Suppressed. Nothing was sent to anybody, so no answer is Unclear: where none is plain, Unavailable.
        None where nothing was asked: the job names no order.
        """
        provider = self._providers[account.provider]
        request = provider.consent_request(account, job)
        if request is None:
            return None
        read: Callable[[Reply], Consented | Outcome | None] = partial(provider.read_consent, account)
        said: Consented | Outcome
        said, _ = self._call(account, request, read, Deadline(timeout))
        if isinstance(said, Consented | Suppressed | Throttled | CredentialsRefused):
            return said
        return Unavailable(f"{NO_PLAIN_CONSENT}: {getattr(said, 'reason', '')}")

    def _scheduled_in_ms(self, account: Account, provider: Provider[Any], job: Job) -> int:
        if job.delay is None or not provider.schedules(job.delay):
            return 0
        return in_ms(job.delay, self._now().astimezone(account.zone))

    def _call(
        self, account: Account, request: Request, read: Callable[[Reply], T | None], deadline: Deadline
    ) -> tuple[T | Outcome, Reply | None]:
        """One call; where a shared access token is refused, one more with the token that replaced it."""
        fetching = self._providers[account.provider].token_call(account)
        if fetching is None:
            return self._send(account, request, read, deadline, None)
        try:
            token = self._token(account, fetching, deadline)
            outcome, reply = self._send(account, request, read, deadline, token)
            # 403 says that the token was known: a new one would change nothing.
            if isinstance(outcome, CredentialsRefused) and reply and reply.status != HTTPStatus.FORBIDDEN:
                token = self._token(account, fetching, deadline, refused=token)
                outcome, reply = self._send(account, request, read, deadline, token)
            return outcome, reply
        except _NoToken as none:
            return none.outcome, None

    def _send(
        self,
        account: Account,
        request: Request,
        read: Callable[[Reply], T | None],
        deadline: Deadline,
        token: str | None,
    ) -> tuple[T | Outcome, Reply | None]:
        authorised = self._providers[account.provider].authorise(account, request, token)
        reply = send(account.root, authorised, deadline)
        if not isinstance(reply, Reply):
            return reply, None
        return meaning(reply, read, self._now()), reply

    def _token(self, account: Account, fetching: TokenCall, deadline: Deadline, refused: str | None = None) -> str:
        """The shared token. Raises _NoToken."""
        try:
            return self._tokens.get(
                fetching.client,
                partial(self._fetch, account, fetching.request, deadline),
                secret=fetching.secret,
                timeout=max(deadline.left(), 0),
                refused=refused,
            )
        except TimeoutError:
            raise _NoToken(Unavailable(NO_TOKEN_YET)) from None

    def _fetch(self, account: Account, request: Request, deadline: Deadline) -> tuple[str, int]:
        """A new token. Raises _NoToken, never with an unclear outcome: the invitation itself did not
        leave."""
        now = self._now()
        reply = send(account.root, request, deadline)
        if not isinstance(reply, Reply):
            raise _NoToken(Unavailable(reply.reason) if isinstance(reply, Unclear) else reply)
        provider = self._providers[account.provider]
        found = meaning(reply, lambda reply: provider.read_token(reply, clock(reply, now)), now)
        if isinstance(found, tuple):
            return found
        answered = reply.data is not None and reply.status < _SERVER_ERRORS
        if answered and isinstance(found, Unclear | Unavailable):
            raise _NoToken(CredentialsRefused(NO_TOKEN_GIVEN))
        raise _NoToken(Unavailable(found.reason) if isinstance(found, Unclear) else found)
