"""Hears the end of each invitation whose job named this task: `celery -A celery_replies worker --queues shop`.

{…, "reply_to": {"task": "shop.invitation_ended", "queue": "shop"}}
"""

import os
from typing import Any

from celery import Celery

shop = Celery("shop", broker=os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"))


@shop.task(name="shop.invitation_ended", ignore_result=True)
def invitation_ended(told: dict[str, Any]) -> None:
    """`id`, `account`, `order`, `state`, `reason`, and `at` in milliseconds since the epoch. The same may come twice:
    note what is so, and count nothing."""
    print(f"{told['order']} {told['state']} {told['reason']}", flush=True)
