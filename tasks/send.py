"""`invitations.send`: the way in for every Celery client, by name."""

import time
from typing import Any

import structlog
from celery.exceptions import Reject
from redis.exceptions import RedisError

from config.errors import ConfigurationError
from config.settings import settings
from tasks.acceptance import acceptance
from tasks.refusals import tell_if_refused
from tasks.unaccepted import job_in
from worker.app import app
from worker.connection import patiently
from worker.tracing import carried

log = structlog.get_logger()

NOT_ACCEPTED_SECONDS = 1


@app.task(name="invitations.send", acks_late=True, autoretry_for=(), typing=False)
def send(*args: Any, **kwargs: Any) -> dict[str, Any]:
    """Accepts one job, the only argument. Returns `{"id", "state", "created"}`, and `faults` where it was refused.

    Acknowledged only when accepted: a worker that dies before leaves the job to another. Of the message's headers
    `traceparent` is carried on, which OpenTelemetry's instrumentation of Celery puts there.

    Raises:
        celery.exceptions.Reject: the ledger could not be written, or not be read with the configured keys; the job goes
            back to the queue.
    """
    try:
        keep_trying = patiently(settings().lease_seconds)
        trace = carried(getattr(send.request, "traceparent", None))
        answer = keep_trying(acceptance().accept, [job_in(args, kwargs)], traces=[trace])[0]
    except (RedisError, ConfigurationError) as error:
        log.error("job_not_accepted", task_id=send.request.id, error=type(error).__name__)
        time.sleep(NOT_ACCEPTED_SECONDS)
        raise Reject(type(error).__name__, requeue=True) from None
    if not tell_if_refused(answer):
        log.info("job_taken", invitation=answer.receipt.id, state=answer.receipt.state, created=answer.receipt.created)
    return answer.as_dict()
