"""The health check beside a real worker and a real beat, with the metrics turned off."""

import subprocess
import sys
from functools import partial

import pytest

from tests.integration.deployment import Deployment, within
from tests.integration.processes import celery


@pytest.fixture(scope="module")
def settings(deployment: Deployment) -> dict[str, str]:
    """Of a worker and of beat: each has a file of its own."""
    return {role: str(deployment.folder / f"{role}.health") for role in ("worker", "beat")}


def is_healthy(deployment: Deployment, role: str, file: str) -> bool:
    """By the exit code of `python -m worker.health`, which is 0 or 1."""
    environment = deployment.environment(HEALTH_FILE=file)
    ran = subprocess.run(
        [sys.executable, "-m", "worker.health", role], env=environment, cwd=deployment.folder, check=False
    )
    assert ran.returncode in (0, 1)
    return ran.returncode == 0


def test_a_worker_and_beat_are_healthy_while_they_work(deployment: Deployment, settings: dict[str, str]) -> None:
    assert [is_healthy(deployment, role, file) for role, file in settings.items()] == [False, False]

    beat = deployment.start("beat", celery("beat"), HEALTH_FILE=settings["beat"])
    worker = deployment.start_worker(HEALTH_FILE=settings["worker"])

    for role, file in settings.items():
        within(partial(is_healthy, deployment, role, file), f"{role} is healthy")
    assert [running.stop() for running in (beat, worker)] == [0, 0]
