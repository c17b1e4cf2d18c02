"""`invitations.upkeep`: erases what is finished and old enough, and tidies after readers that are gone."""

from collections.abc import Iterator
from typing import cast

import structlog
from redis import Redis
from redis.exceptions import ResponseError

from config.celery_values import INBOX, INBOX_READERS, REPLIES
from config.settings import settings
from worker.app import app
from worker.connection import redis
from worker.ending import ending
from worker.ledger import Ledger, ledger
from worker.overview import FINISHED
from worker.records import Records

log = structlog.get_logger()

EVENTS = "invitations:events"
DAY_MS = 86_400_000
BATCH = 500
SHELVES_AT_ONCE = 1_000


@app.task(name="invitations.upkeep", ignore_result=True)
def upkeep() -> int:
    """Returns how many finished invitations were erased. Nothing unfinished is ever erased."""
    kept_ms = settings().retention_days * DAY_MS
    erased = erase_old(ledger(), kept_ms)
    events = drop_old_events(ledger(), kept_ms)
    gone = sum(drop_gone_readers(redis(), stream) for stream in (INBOX, REPLIES))
    log.info("upkeep_done", erased=erased, events_dropped=events, readers_dropped=gone)
    return erased


def erase_old(ledger: Ledger, kept_ms: int) -> int:
    """Erases what is finished since `kept_ms` milliseconds; an accepted one counts from when it is to leave."""
    cutoff = ledger.now() - kept_ms
    return sum(_erase(ledger, account, state, cutoff) for account, state in _shelves_with_old(ledger.redis, cutoff))


def _shelves_with_old(redis: Redis, cutoff: int) -> Iterator[tuple[str, str]]:
    """Account and state: of thousands of accounts few have anything to be erased."""
    shelves = [(account, state) for account in Records(redis).accounts() for state in FINISHED]
    for start in range(0, len(shelves), SHELVES_AT_ONCE):
        asked = shelves[start : start + SHELVES_AT_ONCE]
        with redis.pipeline(transaction=False) as pipe:
            for account, state in asked:
                pipe.zcount(_shelf(account, state), "-inf", cutoff)
            counts = pipe.execute()
        yield from (shelf for shelf, old in zip(asked, counts, strict=True) if old)


def _shelf(account: str, state: str) -> str:
    return f"invitations:state:{account}:{state}"


def drop_old_events(ledger: Ledger, kept_ms: int) -> int:
    """Takes out of `invitations:events` what is older than `kept_ms` milliseconds: it tells order numbers."""
    return int(ledger.redis.xtrim(EVENTS, minid=ledger.now() - kept_ms, approximate=False))


def _erase(ledger: Ledger, account: str, state: str, cutoff: int) -> int:
    shelf, erased = _shelf(account, state), 0
    while not ending.is_set() and (
        ids := cast(list[str], ledger.redis.zrange(shelf, "-inf", cutoff, byscore=True, offset=0, num=BATCH))
    ):
        erased += sum(ledger.erase(invitation, account, state, cutoff) for invitation in ids)
    return erased


def drop_gone_readers(redis: Redis, stream: str = INBOX, silent_ms: int = DAY_MS) -> int:
    """Forgets readers of a stream that hold nothing and are silent since `silent_ms`. Returns how many."""
    try:
        readers = redis.xinfo_consumers(stream, INBOX_READERS)
    except ResponseError:
        return 0
    gone = [reader["name"] for reader in readers if reader["pending"] == 0 and reader["idle"] > silent_ms]
    for name in gone:
        redis.xgroup_delconsumer(stream, INBOX_READERS, name)
    return len(gone)
