"""Seals anew with the newest key whatever is sealed in Redis: every record's job, and the key of the ids.

Safe beside running workers. The access tokens of worker.tokens are not among it: they are encrypted with their client's
secret, and end within hours.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import cast

from redis import Redis

from config.errors import ConfigurationError
from worker.job_text import FIELDS, joined
from worker.scripts import Scripts
from worker.vault import ID_KEY, Vault

BATCH = 500
RECORD = "invitations:record:"
JOB = "job"

Place = tuple[str, str]


@dataclass(slots=True)
class Sealing:
    """How many sealed texts were seen; of these, how many not sealed with the newest key, and how many that none of
    the keys opens."""

    texts: int = 0
    older: int = 0
    unreadable: int = 0


def survey(redis: Redis, vault: Vault, most: int) -> Sealing:
    """The key of the ids, and the jobs of about `most` records, as they are sealed now."""
    seen = Sealing()
    _note(seen, vault, _read(redis, [(ID_KEY, "")]))
    for page in _pages(redis):
        _note(seen, vault, _read(redis, _places(page)))
        if seen.texts > most:
            break
    return seen


def reencrypt(redis: Redis, vault: Vault, advance: Callable[[int], None] = lambda keys: None) -> Sealing:
    """Seals everything with the newest key; `older` is what it sealed anew. Again, it has nothing left to do.

    The key of the ids comes last: until all is done, no process starts that lacks a key which is still needed.
    `advance` is called with the number of keys of Redis that were looked at since (all: DBSIZE).
    """
    seen, scripts = Sealing(), Scripts(redis)
    for page in _pages(redis):
        _reseal(redis, scripts, vault, _places(page), seen)
        advance(len(page))
    _reseal(redis, scripts, vault, [(ID_KEY, "")], seen)
    return seen


def _reseal(redis: Redis, scripts: Scripts, vault: Vault, places: list[Place], seen: Sealing) -> None:
    older = _note(seen, vault, _read(redis, places))
    while older:
        with redis.pipeline(transaction=False) as pipe:
            for (key, field), (read, text) in older.items():
                scripts.run("reseal", key, field, read, vault.seal(text), client=pipe)
            written = pipe.execute()
        # What changed meanwhile may be of an older key again: a worker of before is at work.
        changed = [place for place, done in zip(older, written, strict=True) if not done]
        older = _note(Sealing(), vault, _read(redis, changed))


def _note(seen: Sealing, vault: Vault, texts: dict[Place, str]) -> dict[Place, tuple[str, str]]:
    """Counts them. Returns those that are not sealed with the newest key: as they were read, and opened."""
    older = {}
    for place, text in texts.items():
        seen.texts += 1
        if vault.is_newest(text):
            continue
        try:
            older[place] = (text, vault.open(text))
        except ConfigurationError:
            seen.unreadable += 1
    seen.older += len(older)
    return older


def _read(redis: Redis, places: list[Place]) -> dict[Place, str]:
    """What stands there, where something does."""
    with redis.pipeline(transaction=False) as pipe:
        for key, field in places:
            pipe.hmget(key, *FIELDS) if field else pipe.mget(key)
        texts = map(joined, cast(list[list[str | None]], pipe.execute()))
    return {place: text for place, text in zip(places, texts, strict=True) if text}


def _places(page: list[str]) -> list[Place]:
    return [(key, JOB) for key in page if key.startswith(RECORD)]


def _pages(redis: Redis) -> Iterator[list[str]]:
    keys = redis.scan_iter(count=BATCH)
    while page := list(islice(keys, BATCH)):
        yield page
