"""Celery's values: pool, concurrency and scheduler, so that `celery -A worker.app worker` needs no options."""

from typing import Any

from kombu import Exchange, Queue

from config.redis_url import SentinelUrl
from config.settings import Settings

QUEUE = "invitations"
# The stream that any Redis client writes to, and the group of those who read it.
INBOX, INBOX_READERS = "invitations:inbox", "workers"
# The stream of the final states that somebody asked to be told, read by the same.
REPLIES = "invitations:replies"
BEAT_KEYS = "invitations:beat:"
BEAT_LOCK, BEAT_LOCK_SECONDS = f"{BEAT_KEYS}:lock", 10
BEAT_LOOP_SECONDS = 2
BEAT_RETRY_SECONDS = 5
# Answers that nobody takes, of Celery and of the inbox.
RESULTS_KEPT_SECONDS = 86_400
# A Redis whose host is gone says nothing, not even that it is gone.
ANSWER_SECONDS = 5


def celery_values(settings: Settings) -> dict[str, Any]:
    """All values, as `Celery.conf.update` takes them."""
    return {
        **_redis(settings),
        **_worker(settings),
        **_tasks(),
        "beat_scheduler": "worker.beat:InvitationScheduler",
        "beat_max_loop_interval": BEAT_LOOP_SECONDS,
    }


def beat_values(settings: Settings) -> dict[str, Any]:
    """What beat alone knows. A worker shows its values to whoever asks, and would not hide this address's password."""
    url = settings.redis_url.get_secret_value()
    options: dict[str, Any] = {"retry_period": BEAT_RETRY_SECONDS, "socket_timeout": ANSWER_SECONDS}
    if url.startswith("sentinel://"):
        sentinel = SentinelUrl.parse(url)
        url = "redis-sentinel://"
        options |= {
            "sentinels": list(sentinel.hosts),
            "service_name": sentinel.master,
            "db": sentinel.db,
            "username": sentinel.username,
            "password": sentinel.password,
        }
    return {
        "redbeat_redis_url": url,
        "redbeat_redis_options": options,
        "redbeat_key_prefix": BEAT_KEYS,
        "redbeat_lock_timeout": BEAT_LOCK_SECONDS,
    }


def _redis(settings: Settings) -> dict[str, Any]:
    url = settings.redis_url.get_secret_value()
    # What a reader took and did not acknowledge is given to another after this: only `invitations.send`
    # depends on it, and a second delivery of it changes nothing.
    options: dict[str, Any] = {
        "visibility_timeout": max(60, settings.lease_seconds),
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_keepalive": True,
        "socket_timeout": ANSWER_SECONDS,
        "socket_connect_timeout": ANSWER_SECONDS,
        "health_check_interval": ANSWER_SECONDS,
    }
    if url.startswith("sentinel://"):
        sentinel = SentinelUrl.parse(url)
        url = sentinel.for_celery()
        options["master_name"] = sentinel.master
    if url.startswith("rediss://") and "ssl_cert_reqs=" not in url:
        # Celery would not look at the certificate.
        url += ("&" if "?" in url else "?") + "ssl_cert_reqs=required"
    return {
        "broker_url": url,
        "result_backend": url,
        "broker_transport_options": options,
        "result_backend_transport_options": {name: value for name, value in options.items() if name == "master_name"},
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # A Redis that refuses to write (full, its disk full, no longer the primary) ends no worker.
        "broker_channel_error_retry": True,
        "redis_socket_timeout": ANSWER_SECONDS,
        "result_expires": RESULTS_KEPT_SECONDS,
    }


def _worker(settings: Settings) -> dict[str, Any]:
    return {
        "worker_pool": "threads",
        "worker_consumer": "worker.consumer:LastingConsumer",
        "worker_concurrency": settings.concurrency,
        "worker_prefetch_multiplier": 1,
        "worker_send_task_events": True,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
    }


def _tasks() -> dict[str, Any]:
    return {
        "include": [
            *("tasks.send", "tasks.deliver", "tasks.retrieve", "tasks.upkeep", "tasks.inbox", "tasks.replies"),
            "worker.steering",
        ],
        "task_default_queue": QUEUE,
        # Deliveries need no queue: the ledger is theirs, and threads of their own (worker/threads.py).
        "task_queues": [Queue(QUEUE, Exchange(QUEUE), routing_key=QUEUE)],
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        # A message of `invitations.send` carries a whole job: no event may repeat it.
        "task_send_sent_event": False,
        "timezone": "UTC",
        "enable_utc": True,
    }
