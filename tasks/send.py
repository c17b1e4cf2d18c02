"""`invitations.send`: the way in for every Celery client, by name."""

from typing import Any

from celery import Task

from tasks.acceptance import acceptance
from worker.app import app


class MaskedTask(Task[Any, Any]):
    """Its arguments are a whole job, so none of them is ever shown."""

    Request = "worker.masking:MaskedRequest"


@app.task(name="invitations.send", base=MaskedTask, acks_late=True, autoretry_for=(), typing=False)
def send(*args: Any, **kwargs: Any) -> dict[str, Any]:
    """Accepts one job, the only argument. Returns `{"id", "state", "created"}`, and `faults` where it was refused.

    Acknowledged only when accepted: a worker that dies before leaves the job to another.
    """
    job = args[0] if len(args) == 1 and not kwargs else kwargs.get("job") if not args else None
    answer = acceptance().accept([job if job is not None else {"args": args, "kwargs": kwargs}])[0]
    result = {"id": answer.receipt.id, "state": answer.receipt.state, "created": answer.receipt.created}
    if answer.faults:
        result["faults"] = [fault.model_dump() for fault in answer.faults]
    return result
