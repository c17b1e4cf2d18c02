"""What a person does to workers from Flower or with `celery control`: a revoke cancels at once, and a command that
would change nothing says so."""

from typing import Any

import structlog
from celery.utils.functional import maybe_list
from celery.worker.control import Panel, control_command
from celery.worker.state import revoked
from redis.exceptions import RedisError

from config.settings import PREFIX
from worker.ledger import ledger

log = structlog.get_logger()

REVOKED = "revoked in Celery"
OTHER_THREADS = (
    "this pool only accepts jobs, deliveries have threads of their own: "
    f"set {PREFIX}CONCURRENCY and restart the worker, or start more workers"
)
WITHOUT_EFFECT = {
    "pool_grow": OTHER_THREADS,
    "pool_shrink": OTHER_THREADS,
    "autoscale": OTHER_THREADS,
    "rate_limit": "deliveries keep to the `limit` of their account, all workers together: see the accounts file",
    "time_limit": "deliveries keep to the `timeout` of their account: see the accounts file",
}
_revoke_of_celery = Panel.data["revoke"]


@control_command(name="revoke", variadic="task_id", signature="[id1 [id2 [... [idN]]]]")
def revoke(state: Any, task_id: Any, **_: Any) -> Any:
    """Revoke task by task id (or list of ids): an invitation that waits is cancelled.

    One that is being delivered ends its call, which cannot be broken off, and is cancelled if it would wait again.
    """
    ids = [one for one in maybe_list(task_id) or [] if isinstance(one, str)]
    answer = _revoke_of_celery(state, ids)
    try:
        for one in ids:
            _cancel(one, state.consumer.event_dispatcher)
    except RedisError as error:
        log.error("redis_is_away", command="revoke", error=type(error).__name__)
        return {"error": "Redis did not answer: what waits is cancelled when it is due"}
    return answer


@control_command(name="terminate", args=[("signal", str)], variadic="task_id", signature="<signal> [id1 [id2 [...]]]")
def terminate(state: Any, signal: Any, task_id: Any, **_: Any) -> Any:
    """Revoke task by task id (or list of ids): a call that runs cannot be broken off."""
    return revoke(state, task_id)


def _cancel(invitation: str, events: Any) -> None:
    now, cancelled = ledger().cancel(invitation, REVOKED)
    if now not in ("delivering", "unknown"):
        # What is over stays as it is: replayed later, it is to be delivered.
        revoked.discard(invitation)
    if cancelled:
        log.info("invitation_revoked", invitation=invitation)
        events.send("task-revoked", uuid=invitation, terminated=False, signum=None, expired=False)


def _refuse(command: str, why: str) -> None:
    def refuse(*_: Any, **__: Any) -> dict[str, str]:
        return {"error": why}

    control_command(name=command, help=f"Has no effect here: {why}")(refuse)


for _command, _why in WITHOUT_EFFECT.items():
    _refuse(_command, _why)
