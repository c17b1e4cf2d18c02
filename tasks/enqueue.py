"""For Python in this code base: enqueue one job, or very many."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice, repeat
from typing import Any

from tasks.acceptance import BATCH, acceptance
from tasks.faults import Fault, JobError, Unreadable
from tasks.job import Job
from worker.entries import Receipt
from worker.tracing import current


@dataclass(slots=True)
class Summary:
    """What became of many jobs. `suppressed`: new, but their address asked for no invitations. `refused` holds, for
    each refused job, its position (the first is 1) and its faults."""

    accepted: int = 0
    known: int = 0
    suppressed: int = 0
    refused: list[tuple[int, tuple[Fault, ...]]] = field(default_factory=list)


def enqueue(job: Job | dict[str, Any] | str) -> Receipt:
    """Enqueues one job: a `Job`, a dict, or a JSON text. It carries on the trace of OpenTelemetry's current span.

    Returns its receipt; `created` is False where the invitation was known.

    Raises:
        JobError: naming every fault by field; the job is kept in the state `refused`.
        redis.RedisError: Redis is away, and nothing was enqueued.
    """
    answer = acceptance().accept([_raw(job)], traces=[current()])[0]
    if answer.faults:
        raise JobError(list(answer.faults))
    return answer.receipt


def enqueue_many(
    jobs: Iterable[Job | Unreadable | dict[str, Any] | str],
    *,
    progress: Callable[[int], None] = lambda count: None,
) -> Summary:
    """Enqueues thousands of jobs a second, in batches; a refused job never stops the ones behind it.

    `progress` is called with the number of jobs of each batch. Enqueuing the same jobs again changes nothing,
    so a run that broke off is simply run again. Raises redis.RedisError where Redis is away.
    """
    summary, position = Summary(), 0
    for answers in acceptance().accept_all(_batches(map(_raw, jobs)), traces=repeat(current())):
        for answer in answers:
            position += 1
            if answer.faults:
                summary.refused.append((position, answer.faults))
            elif answer.receipt.created and answer.receipt.state == "suppressed":
                summary.suppressed += 1
            elif answer.receipt.created:
                summary.accepted += 1
            else:
                summary.known += 1
        progress(len(answers))
    return summary


def _raw(job: Job | Unreadable | dict[str, Any] | str) -> Any:
    return job.model_dump(mode="json", exclude_defaults=True) if isinstance(job, Job) else job


def _batches(jobs: Iterator[Any]) -> Iterator[list[Any]]:
    while batch := list(islice(jobs, BATCH)):
        yield batch
