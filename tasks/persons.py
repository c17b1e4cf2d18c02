"""Recognises what is held on some addresses: by the digest that stands beside it, or else by its text."""

import json
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, cast

from redis import Redis

from worker.address import one_spelling
from worker.job_text import FIELDS, joined
from worker.vault import Identity, Vault

BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4}){4,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


class Persons:
    """Some addresses, in whatever spelling they come."""

    def __init__(self, addresses: Iterable[str], identity: Identity) -> None:
        self._identity = identity
        stripped = [address.strip() for address in addresses]
        self._spelled = {form for address in stripped for form in (address.casefold(), one_spelling(address))}
        self.digests = dict.fromkeys(map(identity.who, stripped))

    def __repr__(self) -> str:
        return f"Persons({len(self.digests)})"

    def owner_of(self, raw: Any) -> str:
        """The digest of the address that a job names, where it is one of these; else nothing."""
        email = as_object(raw).get("email")
        who = self._identity.who(email) if isinstance(email, str) else ""
        return who if who in self.digests else ""

    def are_named_in(self, raw: Any) -> bool:
        """Whether one of the addresses stands anywhere in a job, which may be no valid one."""
        if self.owner_of(raw):
            return True
        text = raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False, default=str)
        # In a message of Celery's the job stands in base64.
        texts = [text, *(b64decode(run).decode(errors="replace") for run in BASE64.findall(text))]
        return any(
            re.search(rf"(?<![\w.+-]){re.escape(address)}(?![\w-]|\.\w)", folded)
            for folded in chain.from_iterable(map(_readings, texts))
            for address in self._spelled
            if address in folded
        )


class Found:
    """Finds the invitations of some persons. Raises ConfigurationError where a job cannot be opened with the configured
    keys, and redis.RedisError."""

    def __init__(self, redis: Redis, vault: Vault, persons: Persons) -> None:
        self._redis = redis
        self._vault = vault
        self._persons = persons

    def among(self, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Those of them that are theirs, each with the digest of its address; it is empty for a refused job that names
        the address elsewhere. What was forgotten is nobody's."""
        opened = []
        for invitation, (state, who, forgotten_at) in zip(
            ids, self._read(ids, "state", "who", "forgotten_at"), strict=True
        ):
            if who in self._persons.digests:
                yield invitation, who
            elif state and not forgotten_at and (not who or state == "refused"):
                opened.append((invitation, state))
        jobs = self._read([one for one, _ in opened], *FIELDS)
        for (invitation, state), sealed in zip(opened, jobs, strict=True):
            job = self._vault.open(joined(sealed))
            who = self._persons.owner_of(job)
            if who or (state == "refused" and self._persons.are_named_in(job)):
                yield invitation, who

    def _read(self, ids: Sequence[str], *names: str) -> list[list[str | None]]:
        with self._redis.pipeline(transaction=False) as pipe:
            for invitation in ids:
                pipe.hmget(f"invitations:record:{invitation}", *names)
            return cast(list[list[str | None]], pipe.execute())


def _readings(text: str) -> Iterator[str]:
    """As it stands, and, where JSON hides letters behind escapes, as it reads; in small letters."""
    yield text.casefold()
    if "\\" in text:
        with suppress(ValueError, RecursionError):
            yield json.dumps(json.loads(text), ensure_ascii=False).casefold()


def as_object(raw: Any) -> dict[str, Any]:
    """The fields of what may be a job, as JSON text or as what a JSON text would hold; none where it has none."""
    try:
        held = json.loads(raw) if isinstance(raw, str) else raw
    except (ValueError, RecursionError):
        return {}
    return held if isinstance(held, dict) else {}
