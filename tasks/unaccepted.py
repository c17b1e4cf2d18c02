"""Jobs that nobody accepted yet: in the inbox stream, in Celery's queue, and taken from it but not acknowledged."""

import json
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from kombu.compression import decompress
from kombu.serialization import loads
from kombu.transport.redis import PRIORITY_STEPS, Channel
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import NoPermissionError

from config.celery_values import INBOX, INBOX_READERS, QUEUE
from tasks.acceptance import as_text
from tasks.faults import Fault, Unreadable
from worker.unreadable import FAULTS

UNACKED, UNACKED_INDEX = Channel.unacked_key, Channel.unacked_index_key
# Celery keeps a list for each priority.
QUEUES = tuple(f"{QUEUE}{Channel.sep}{step}" if step else QUEUE for step in PRIORITY_STEPS)
# A list for each queue that somebody named, and the one of who named none.
BINDING, CELERYS_OWN = "_kombu.binding.", "celery"
TASK = "invitations.send"
PAGE, MANY_KEYS = 500, 5_000
NO_JOB_SENT = Fault(field="job", problem="was not given; expected it as the only argument: args=[job]")
MORE_THAN_A_JOB = Fault(field="job", problem="expected it as the only argument, args=[job]: found others beside it")
NO_JOB = Fault(field="job", problem="expected an entry of the inbox with a field `job` that holds the job as JSON")


@dataclass(frozen=True, slots=True)
class Unaccepted:
    """What may be a job, and where it stands: the key, and the entry, message or delivery tag there. `job` is None
    where no worker would accept it; `text` is all that stands there."""

    key: str
    member: str = field(repr=False)
    job: Any = field(repr=False)
    text: str = field(repr=False)


def job_in(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """The job in the arguments of `invitations.send`; where they are not one job, all of them with what is wrong."""
    job = args[0] if len(args) == 1 and not kwargs else kwargs.get("job") if not args else None
    if job is not None:
        return job
    fault = NO_JOB_SENT if not args or args[0] is None else MORE_THAN_A_JOB
    return Unreadable(as_text({"args": args, "kwargs": kwargs}), fault)


def job_of_entry(fields: dict[str, str]) -> str | Unreadable:
    """What stands in an entry of the inbox: all that it holds, where it has no job. A message that no worker could read
    comes with the name of its fault."""
    if "job" not in fields:
        return Unreadable("\n".join(fields.values()), NO_JOB)
    text, fault = fields["job"], FAULTS.get(fields.get("fault", ""))
    return Unreadable(text, Fault(field="message", problem=fault)) if fault else text


def unaccepted(redis: Redis) -> Iterator[Unaccepted]:
    """All of them, those of inbox and queues twice: what is taken meanwhile is found behind, what is given back in
    front of where it was. Raises redis.RedisError."""
    yield from _in_the_inbox(redis)
    yield from _in_queues(redis)
    for tag, note in cast(Iterator[tuple[str, str]], redis.hscan_iter(UNACKED, count=PAGE)):
        name = list_of_note(note)
        if not name:
            yield Unaccepted(UNACKED, tag, None, note)
        elif name == QUEUE:
            yield _read(UNACKED, tag, json.dumps(json.loads(note)[0]))
    yield from _in_queues(redis)
    yield from _in_the_inbox(redis)
    yield from strays(redis)


def _in_the_inbox(redis: Redis) -> Iterator[Unaccepted]:
    for entry, fields in _entries(redis):
        yield Unaccepted(INBOX, entry, job_of_entry(fields), "\n".join([*fields, *fields.values()]))


def _in_queues(redis: Redis) -> Iterator[Unaccepted]:
    for queue in QUEUES:
        for message in _messages(redis, queue):
            yield _read(queue, message, message)


def strays(redis: Redis) -> Iterator[Unaccepted]:
    """Jobs in the lists of queues that no worker of ours reads. Raises redis.RedisError."""
    bound = cast(Iterator[str], redis.scan_iter(f"{BINDING}*", count=MANY_KEYS))
    names = {CELERYS_OWN, *(key.removeprefix(BINDING) for key in bound)} - {*QUEUES}
    for name in sorted(names):
        with suppress(NoPermissionError):
            if redis.type(name) == "list":
                found = (_read(name, message, message) for message in _messages(redis, name))
                yield from (one for one in found if one.job is not None)


def remove(redis: Redis, jobs: Sequence[Unaccepted]) -> None:
    """Takes them from where they stand; a worker that holds one in its hands goes on with it."""
    with redis.pipeline(transaction=False) as pipe:
        for one in jobs:
            _remove(pipe, one)
        pipe.execute()


def _remove(pipe: Pipeline, one: Unaccepted) -> None:
    if one.key == INBOX:
        pipe.xack(INBOX, INBOX_READERS, one.member)
        pipe.xdel(INBOX, one.member)
    elif one.key == UNACKED:
        pipe.hdel(UNACKED, one.member)
        pipe.zrem(UNACKED_INDEX, one.member)
    else:
        pipe.lrem(one.key, 0, one.member)


def _entries(redis: Redis) -> Iterator[tuple[str, dict[str, str]]]:
    start = "-"
    while page := cast(list[tuple[str, dict[str, str]]], redis.xrange(INBOX, start, count=PAGE)):
        yield from page
        start = f"({page[-1][0]}"


def _messages(redis: Redis, queue: str) -> Iterator[str]:
    """From the end at which they come in: none is missed for what is taken out meanwhile."""
    start = 0
    while page := cast(list[str], redis.lrange(queue, start, start + PAGE - 1)):
        yield from page
        start += len(page)


def list_of_note(note: str) -> str:
    """Where a message goes back that a worker took, by what is noted of it in UNACKED; '' where that cannot be read."""
    try:
        _, _, name = json.loads(note)
    except (TypeError, ValueError, RecursionError):
        return ""
    return str(name)


def _read(key: str, member: str, message: str) -> Unaccepted:
    """A message of Celery's, in either of its protocols."""
    try:
        name, arguments = _opened(json.loads(message))
    except Exception:
        # Whatever another program left there is no message of ours, and is searched as it stands.
        return Unaccepted(key, member, None, message)
    job = job_in(*arguments) if name == TASK else None
    return Unaccepted(key, member, job, message + json.dumps(arguments, ensure_ascii=False, default=str))


def _opened(message: dict[str, Any]) -> tuple[str, tuple[list[Any], dict[str, Any]]]:
    """The name of the task, and its arguments."""
    headers, body = message["headers"], message["body"]
    if message["properties"].get("body_encoding") == "base64":
        body = b64decode(body)
    if "compression" in headers:
        body = decompress(body, headers["compression"])
    held = loads(body, message["content-type"], message["content-encoding"], accept=["application/json"])
    if isinstance(held, dict):
        return held["task"], (held.get("args") or [], held.get("kwargs") or {})
    return headers["task"], (held[0], held[1])
