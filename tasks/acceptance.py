"""The one acceptance that all ways in go through: validate, then one atomic step into the ledger."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple

import structlog
from pydantic import ValidationError
from pydantic_core import to_json
from redis.exceptions import RedisError

from config.accounts import Account
from config.accounts_file import Accounts, accounts
from config.near import did_you_mean
from config.settings import settings
from tasks.delay import in_ms
from tasks.faults import Fault, JobError, Unreadable
from tasks.job import Job, ReplyTo
from tasks.persons import as_object
from tasks.providers import PROVIDERS
from tasks.providers.carries import faults_for
from worker.connection import redis
from worker.entries import Entry, Receipt, RefusedEntry
from worker.ledger import KEPT_BYTES, NO_ACCOUNT, Ledger, ledger
from worker.metrics import INVITATIONS
from worker.tracing import UNTRACED, Accepting
from worker.vault import Identity, Vault

log = structlog.get_logger()

BATCH = 500
# What a job may measure, and what is kept of one that is not valid: bytes of JSON.
MOST_BYTES = 64 * 1024
TOO_LARGE = Fault(field="job", problem="expected at most 64 KiB of JSON")
CUT = Fault(field="job", problem="only its first 256 KiB are kept")
PLAIN_ORDER = re.compile(r"[\w./#-]{1,100}")
LARGEST_ORDER = 10**100
# What the ledger answers where the key of the ids is not the one that stands in Redis.
FOREIGN = "foreign"

Prepared = tuple[Entry | RefusedEntry, tuple[Fault, ...]]


class Batch(NamedTuple):
    """Jobs that were made ready. `fingerprint`: of the key that their ids were made with."""

    raws: Sequence[Any]
    hold_ms: int
    spans: Accepting
    fingerprint: str
    prepared: list[Prepared]


class Accepted(NamedTuple):
    """What became of one job. `faults` is empty unless the job was refused."""

    receipt: Receipt
    faults: tuple[Fault, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """As who enqueued it is told: `{"id", "state", "created"}`, and `faults` where it was refused."""
        faults = {"faults": [fault.model_dump() for fault in self.faults]} if self.faults else {}
        return {**self.receipt._asdict(), **faults}


class Acceptance:
    """Turns jobs into entries of the ledger. A job that is not valid becomes a refused entry, with all its faults."""

    def __init__(self, ledger: Ledger, vault: Vault, identity: Identity, accounts: Accounts) -> None:
        self._ledger = ledger
        self._vault = vault
        self._identity = identity
        self._accounts = accounts
        # Among thousands of accounts the nearest takes long to find, and who errs errs with every job.
        self._not_here = lru_cache(maxsize=256)(self._unknown_account)

    def accept(self, raws: Sequence[Any], *, hold_ms: int = 0, traces: Iterable[str] = UNTRACED) -> list[Accepted]:
        """One answer for each job, in order: JSON texts, or what they would hold. What is new waits `hold_ms` longer
        than it asks for. `traces`: the traceparent of each, or ''. Raises redis.RedisError."""
        return self._write(self._prepare_all(raws, Accepting(traces, len(raws)), hold_ms))

    def accept_all(
        self, batches: Iterable[Sequence[Any]], *, traces: Iterable[str] = UNTRACED
    ) -> Iterator[list[Accepted]]:
        """The answers of each batch: the next is made ready while Redis takes the one before it. `traces`: of the jobs
        of each batch. Raises redis.RedisError."""
        written: Future[list[Accepted]] | None = None
        with ThreadPoolExecutor(1) as writer:
            for raws in batches:
                batch = self._prepare_all(raws, Accepting(traces, len(raws)))
                if written:
                    yield written.result()
                written = writer.submit(self._write, batch)
            if written:
                yield written.result()

    def _write(self, batch: Batch) -> list[Accepted]:
        receipts = self._receipts(batch)
        if any(receipt.state == FOREIGN for receipt in receipts):
            self._identity = Identity.of(self._ledger.redis, self._vault)
            batch = self._prepare_all(batch.raws, batch.spans, batch.hold_ms)
            receipts = self._receipts(batch)
            if any(receipt.state == FOREIGN for receipt in receipts):
                raise RedisError("Redis lost its data while jobs were accepted; enqueue them again")
        self._count(batch.prepared, receipts)
        batch.spans.end(
            {"id": receipt.id, "account": entry.account, "state": receipt.state, "created": receipt.created}
            for receipt, (entry, _) in zip(receipts, batch.prepared, strict=True)
        )
        return [Accepted(receipt, faults) for receipt, (_, faults) in zip(receipts, batch.prepared, strict=True)]

    def _receipts(self, batch: Batch) -> list[Receipt]:
        return self._ledger.accept([entry for entry, _ in batch.prepared], batch.fingerprint)

    def _prepare_all(self, raws: Sequence[Any], spans: Accepting, hold_ms: int = 0) -> Batch:
        # Read first: where another thread meets a new key meanwhile, this batch is foreign and made again.
        fingerprint, now = self._identity.fingerprint, cache(self._ledger.now)
        traced = zip(raws, spans.traces, strict=False)
        prepared = [self._prepare(raw, now, hold_ms, trace) for raw, trace in traced]
        return Batch(raws, hold_ms, spans, fingerprint, prepared)

    def _count(self, prepared: list[Prepared], receipts: list[Receipt]) -> None:
        made = zip(prepared, receipts, strict=True)
        new = Counter((entry.account, receipt.state) for (entry, _), receipt in made if receipt.created)
        for (account, state), number in new.items():
            INVITATIONS.labels(account, self._provider(account), state).inc(number)

    def _provider(self, account: str) -> str:
        known = self._accounts.get(account)
        return known.provider if known else NO_ACCOUNT

    def _prepare(self, raw: Any, now: Callable[[], int], hold_ms: int, trace: str) -> Prepared:
        try:
            return self._entry(raw, now, hold_ms, trace), ()
        except JobError as error:
            faults = error.faults
        except RedisError:
            raise
        except Exception as error:
            # One job that this program stumbles over must not stop the ones behind it, and is kept like any other.
            log.error("job_could_not_be_read", error=type(error).__name__)
            faults = [Fault(field="job", problem=f"could not be read ({type(error).__name__})")]
        whole = as_text(raw).encode("utf-8", "backslashreplace")
        if len(whole) > KEPT_BYTES:
            faults = [*faults, CUT]
        return self._refused(raw, whole, faults), tuple(faults)

    def _entry(self, raw: Any, clock: Callable[[], int], hold_ms: int, trace: str) -> Entry:
        if isinstance(raw, Unreadable):
            raise JobError([raw.fault])
        if _size(raw) > MOST_BYTES:
            raise JobError([TOO_LARGE])
        job = self._read(raw)
        account = self._accounts.get(job.account)
        if account is None:
            raise JobError([self._not_here(job.account)])
        # Redis is asked for its time where it matters: it may be at work on the batch before.
        now = clock() if job.counts_weekdays else 0
        faults = [*job.faults_at(now, account.zone), *faults_for(account, job)]
        if faults:
            raise JobError(faults)
        natural = self._identity.natural(job.account, job.email, job.order)
        own = self._identity.keyed(job.account, job.idempotency_key) if job.idempotency_key else ""
        return Entry(
            id=own or natural,
            account=job.account,
            gate=account.gate,
            order=job.order or "",
            job=self._vault.seal(job.model_dump_json(exclude_unset=True, exclude_none=True)),
            delay_ms=_waited_out_here(account, job, now) + hold_ms,
            expires_after_ms=account.expires_after,
            natural=natural if own else "",
            who=self._identity.who(job.email),
            trace=trace,
            reply=str(job.reply_to or ""),
        )

    def _read(self, raw: Any) -> Job:
        """Raises JobError: an account that is not there is told beside whatever else is wrong."""
        try:
            return Job.read(raw)
        except JobError as error:
            named = as_object(raw).get("account")
            told = named is None or any(fault.field == "account" for fault in error.faults)
            unknown = [] if told or str(named) in self._accounts else [self._not_here(str(named))]
            raise JobError([*error.faults, *unknown]) from None

    def _unknown_account(self, name: str) -> Fault:
        return Fault(field="account", problem=f"is not configured here{did_you_mean(name, self._accounts)}")

    def _refused(self, raw: Any, whole: bytes, faults: Iterable[Fault]) -> RefusedEntry:
        kept = whole[:KEPT_BYTES].decode("utf-8", "ignore")
        held = kept if isinstance(raw, str) else raw
        named, order, email = _named(held)
        return RefusedEntry(
            id=self._identity.refused(whole.decode()),
            account=named if named in self._accounts else NO_ACCOUNT,
            job=self._vault.seal(kept),
            faults=json.dumps([fault.model_dump() for fault in faults]),
            reason="; ".join(str(fault) for fault in faults)[:500],
            order=order,
            who=self._identity.who(email) if email else "",
            reply=_reply_to(held),
        )


def as_text(raw: Any) -> str:
    """A job, or what came in its place, as it is kept: a text, whatever it is."""
    if isinstance(raw, Unreadable):
        return raw.text
    if isinstance(raw, str):
        return raw
    try:
        return json.dumps(raw, default=lambda value: type(value).__name__, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return f"(a {type(raw).__name__} that JSON cannot hold)"


def _size(raw: Any) -> int:
    """In bytes of JSON."""
    if isinstance(raw, str):
        return len(raw) if raw.isascii() else len(raw.encode("utf-8", "replace"))
    with suppress(ValueError):
        return len(to_json(raw))
    return len(as_text(raw).encode("utf-8", "replace"))


def _named(raw: Any) -> tuple[str, str, str]:
    """Account, order and address that a job names which may be no job; an order that may be an address is none."""
    if isinstance(raw, Unreadable):
        return raw.account or NO_ACCOUNT, "", ""
    held = as_object(raw)
    account, order, email = held.get("account"), held.get("order"), held.get("email")
    if isinstance(order, int) and abs(order) < LARGEST_ORDER:
        order = str(order)
    plain = isinstance(order, str) and PLAIN_ORDER.fullmatch(order)
    return (
        account if isinstance(account, str) else NO_ACCOUNT,
        str(order) if plain else "",
        email if isinstance(email, str) else "",
    )


def _reply_to(raw: Any) -> str:
    """Whom a job that is not valid names all the same."""
    try:
        return str(ReplyTo.model_validate(as_object(raw).get("reply_to")))
    except ValidationError:
        return ""


def _waited_out_here(account: Account, job: Job, now: int) -> int:
    if job.delay is None or PROVIDERS[account.provider].schedules(job.delay):
        return 0
    return in_ms(job.delay, datetime.fromtimestamp(now / 1000, UTC).astimezone(account.zone))


@cache
def acceptance() -> Acceptance:
    """This process's acceptance."""
    vault = Vault.of(settings())
    return Acceptance(ledger(), vault, Identity.of(redis(), vault), accounts())
