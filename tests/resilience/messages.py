"""Messages as they stand in Celery's queue, right and wrong ones."""

import base64
import json
from typing import Any
from uuid import uuid4


def message(
    queue: str, body: Any = ([], {}, {}), *, properties: Any = None, encoding: str = "base64", **fields: Any
) -> Any:
    """As a Celery client makes it, but for what is given. `headers` is merged into the usual ones."""
    task, headers = str(uuid4()), fields.pop("headers", {})
    text = body if isinstance(body, str) else json.dumps(body)
    usual = {"lang": "py", "task": "invitations.send", "id": task, "root_id": task, "parent_id": None, "group": None}
    return {
        "body": base64.b64encode(text.encode()).decode() if encoding == "base64" else text,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": usual | headers if isinstance(headers, dict) else headers,
        "properties": properties
        if properties is not None
        else {
            "delivery_tag": task,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "body_encoding": encoding,
        },
        **fields,
    }


def doorbell(queue: str, invitation: str) -> str:
    """Asks whoever reads it to deliver this invitation."""
    return json.dumps(message(queue, [[invitation], {}, {}], headers={"task": "invitations.deliver"}))
