"""A message that would run code when it is read is refused unread, and the worker goes on."""

import os
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from kombu.serialization import disable_insecure_serializers, enable_insecure_serializers

from tests.integration.deployment import Deployment, job, within


class Runs:
    """Makes a folder where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._path),)


@pytest.fixture
def client(deployment: Deployment) -> Any:
    """A Celery client of somebody who means no good."""
    enable_insecure_serializers(["pickle"])
    yield Celery(broker=deployment.redis_url, backend=deployment.redis_url)
    disable_insecure_serializers(["json"])


@pytest.mark.parametrize("task", ["invitations.send", "invitations.deliver"])
def test_it_is_refused_unread_and_those_behind_it_go_on(
    deployment: Deployment, client: Celery, tmp_path: Path, task: str
) -> None:
    worker = deployment.start_worker()

    client.send_task(task, args=[Runs(tmp_path / "ran")], queue="invitations", serializer="pickle")
    behind = deployment.client().send_task("invitations.send", args=[job("portal", task)], queue="invitations")

    assert behind.get(timeout=20)["state"] == "queued"
    deployment.wait_for(behind.get()["id"], "accepted")
    within(lambda: deployment.redis.llen("invitations") == 0, "the queue is empty")
    assert list(tmp_path.iterdir()) == []
    assert worker.alive
    assert worker.stop() == 0
