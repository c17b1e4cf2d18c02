"""`invitations.retrieve`: asks a provider what was really sent, and settles `accepted` as `sent`."""

import random
import time
from collections import defaultdict
from datetime import UTC, datetime

import structlog

from config.accounts import Account
from config.accounts_file import accounts
from config.schedule import expires_seconds
from config.settings import settings
from tasks.calls import pipeline, vault
from tasks.decision import gate_lesson
from tasks.listed import SIZE, Search, Wanted
from tasks.providers.listing import Page, Row
from worker.app import app
from worker.connection import redis
from worker.ending import ending
from worker.ledger import ledger
from worker.metrics import INVITATIONS, RETRIEVED
from worker.sightings import Sighting, Sightings, expecting
from worker.vault import Identity

log = structlog.get_logger()

# So many invitations that went out together can be found with so many pages (tasks/listed.py). Where there are more, or
# they stand apart, the rest is looked for at once in a retrieval of its own.
MOST_WANTED = 5_000
MOST_PAGES = 100
LONGEST_WAIT_MS = 2_000
# One retrieval of an account at a time, no longer than this and a call: a slow provider must not hold the worker's
# threads. Where a worker dies in one, others are passed over for so long: what was sent is learnt later.
RUN_SECONDS = 120


@app.task(name="invitations.retrievals", ignore_result=True)
def retrievals() -> int:
    """Starts the retrieval of each account that has something to learn. Returns how many that are."""
    names = expecting(ledger(), [name for name, account in accounts().items() if account.lists])
    ledger().note_active(names)
    expires = expires_seconds(settings().retrieve_seconds)
    for name in names:
        retrieve.apply_async((name,), expires=expires)
    return len(names)


@app.task(name="invitations.retrieve", ignore_result=True)
def retrieve(account: str) -> int:
    """Returns how many invitations of the account turned out to be sent. Asks nothing where nothing can be news."""
    known = accounts().get(account)
    if known is None or not known.lists:
        return 0
    sightings = Sightings(ledger(), account)
    expected = sightings.due(MOST_WANTED)
    if not expected:
        return 0
    if not redis().set(f"invitations:retrieving:{account}", 1, nx=True, px=round((RUN_SECONDS + known.timeout) * 1000)):
        return 0
    retrieval = Retrieval(known, sightings, expected)
    try:
        with structlog.contextvars.bound_contextvars(account=account):
            sent = retrieval.run()
    finally:
        redis().delete(f"invitations:retrieving:{account}")
    if retrieval.goes_on and not ending.is_set():
        retrieve.apply_async((account,), expires=expires_seconds(settings().retrieve_seconds))
    return sent


class Retrieval:
    """One retrieval of one account. `goes_on`: it found some, and there may be more to be found now."""

    def __init__(self, account: Account, sightings: Sightings, expected: list[Sighting]) -> None:
        self._account = account
        self._sightings = sightings
        self._pages = 0
        self.goes_on = False
        self._sent = 0
        self._identity = Identity.of(redis(), vault())
        self._ends = time.monotonic() + RUN_SECONDS
        self._expected: dict[str, list[Sighting]] = defaultdict(list)
        for one in expected:
            self._expected[one.natural].append(one)

    def run(self) -> int:
        wanted = [
            Wanted.of(one.id, one.natural, self._time(one.accepted_at), self._time(one.called_at or one.accepted_at))
            for those in self._expected.values()
            for one in those
        ]
        unread = Search(self._read, self._see).run(wanted)
        not_looked_at = {one.id for one in unread}
        absent = [one for those in self._expected.values() for one in those if one.id not in not_looked_at]
        self._sightings.look_again(absent, settings().retrieve_seconds * 1000)
        if not unread:
            self._sightings.ended_well()
        self.goes_on = self._sent > 0 and (self._pages >= MOST_PAGES or len(wanted) >= MOST_WANTED)
        log.info(
            "retrieved",
            pages=self._pages,
            sent=self._sent,
            expected=len(wanted),
            missing=len(absent),
            complete=not unread,
        )
        return self._sent

    def _read(self, offset: int) -> Page | None:
        over = self._pages >= MOST_PAGES or time.monotonic() > self._ends or ending.is_set()
        if over or not self._may_call():
            return None
        self._pages += 1
        RETRIEVED.labels(self._account.name).inc()
        page = pipeline().list_page(self._account, offset=offset, size=SIZE, timeout=self._account.timeout)
        ledger().tell(self._account.gate, self._account.name, gate_lesson(page, random.random()))
        if isinstance(page, Page):
            return page
        log.warning("retrieve_failed", reason=getattr(page, "reason", ""))
        return None

    def _may_call(self) -> bool:
        """Takes a place in the account's gate, waiting for it two seconds at most; else one is kept for next time."""
        owed_ms = 2 * settings().retrieve_seconds * 1000
        wait = ledger().spend(self._account.gate, self._account.name, owed_ms)
        if 0 < wait <= LONGEST_WAIT_MS:
            time.sleep(wait / 1000)
            wait = ledger().spend(self._account.gate, self._account.name, owed_ms)
        return wait == 0

    def _see(self, row: Row) -> str | None:
        natural = self._identity.natural(self._account.name, row.email, row.order)
        candidates = self._expected.get(natural)
        if not candidates:
            return None
        created = row.created.timestamp() * 1000
        one = min(candidates, key=lambda candidate: abs(candidate.accepted_at - created))
        candidates.remove(one)
        if not candidates:
            del self._expected[natural]
        if row.sent is None:
            scheduled = row.scheduled or row.created
            self._sightings.expect_at(one, round(scheduled.timestamp() * 1000))
        elif ledger().sent(one.id, round(row.sent.timestamp() * 1000)):
            self._sent += 1
            INVITATIONS.labels(self._account.name, self._account.provider, "sent").inc()
        return one.id

    def _time(self, ms: int) -> datetime:
        return datetime.fromtimestamp(ms / 1000, UTC).astimezone(self._account.zone)
