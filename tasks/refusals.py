"""A job that is refused, in the log of the worker that refused it: its id, and the fields at fault."""

import structlog

from tasks.acceptance import Accepted
from tasks.field_names import path_of, paths
from tasks.job import Job

log = structlog.get_logger()

# `message` is what no worker could read as one of Celery's.
KNOWN = frozenset((*paths(Job), "job", "message"))
UNKNOWN = "unknown field"


def tell_if_refused(answer: Accepted) -> bool:
    """Whether the job was refused. The line names fields of a job alone: any other name may be somebody's."""
    if not answer.faults:
        return False
    names = dict.fromkeys(fault.field if path_of(fault.field) in KNOWN else UNKNOWN for fault in answer.faults)
    hint = "`invitations show` tells what is wrong with it"
    log.warning("job_refused", invitation=answer.receipt.id, fields=", ".join(names), hint=hint)
    return True
