"""The programs of ops/producers do what they say, against a real worker; those in other languages with --languages."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.deployment import FLOWER_LOGIN, Deployment, Job, job, within
from tests.integration.processes import ROOT, Running

HERE = ROOT / "ops" / "producers"
FLOWER = "flower_send.sh"
SENDERS = {"python, Celery": [sys.executable, "celery_send.py"], "python, redis-py": [sys.executable, "stream_send.py"]}
OTHER_SENDERS = {
    "node, redis": ["node", "node/stream_send.mjs"],
    "node, celery-node": ["node", "node/celery_send.mjs"],
    "php, phpredis": ["php", "stream_send.php"],
    "ruby, redis": ["ruby", "stream_send.rb"],
    "shell, redis-cli": ["sh", "stream_send.sh"],
    "shell, curl and Flower": ["sh", FLOWER],
}
READERS = {"python": [sys.executable, "events.py"]}
OTHER_READERS = {"node": ["node", "node/events.mjs"]}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    every = metafunc.config.getoption("--languages")
    for name, usual, others in (("sender", SENDERS, OTHER_SENDERS), ("reader", READERS, OTHER_READERS)):
        if name in metafunc.fixturenames:
            programs = {**usual, **others} if every else usual
            metafunc.parametrize(name, list(programs.values()), ids=list(programs))


@pytest.fixture(scope="module", autouse=True)
def _worker(deployment: Deployment) -> None:
    deployment.start_worker()


@pytest.fixture(scope="module")
def surroundings(deployment: Deployment) -> dict[str, str]:
    """What a program needs to know, and nothing of this project. Its user of Redis may do what is said, and no more."""
    [line] = re.findall(r"^ACL SETUSER shop .*", (HERE / "README.md").read_text("utf-8"), re.MULTILINE)
    redis: Any = deployment.redis
    redis.execute_command(*line.replace(">PASSWORD", ">its-password").split())
    login = deployment.folder / "login"
    login.write_text('user = "{}:{}"\n'.format(*FLOWER_LOGIN), "utf-8")
    known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    url = deployment.redis_url.replace("redis://", "redis://shop:its-password@")
    return {**known, "REDIS_URL": url, "FLOWER_LOGIN": str(login)}


@pytest.fixture(scope="module")
def flower(deployment: Deployment) -> str:
    return deployment.start_flower()[1]


@pytest.fixture
def environment(
    deployment: Deployment, sender: list[str], surroundings: dict[str, str], request: pytest.FixtureRequest
) -> dict[str, str]:
    """Celery needs more than that user may. Flower runs where a program asks it."""
    if FLOWER in sender:
        return {**surroundings, "FLOWER_URL": request.getfixturevalue("flower")}
    return {**surroundings, "REDIS_URL": deployment.redis_url} if "celery_send" in sender[-1] else surroundings


def run(sender: list[str], sent: Job, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        sender,
        input=json.dumps(sent),
        env=environment,
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_job_is_sent_and_answered_and_sent_again_changes_nothing(
    deployment: Deployment, sender: list[str], environment: dict[str, str]
) -> None:
    sent = job("portal", "-".join(Path(part).name for part in sender[1:]), customer={"full_name": 'Zoë O\'Neil "Z"'})

    first, again = run(sender, sent, environment), run(sender, sent, environment)

    assert [(one.returncode, one.stderr) for one in (first, again)] == [(0, "")] * 2
    [receipt] = deployment.accept(sent)
    assert not receipt.created
    assert [receipt.id in one.stdout for one in (first, again)] == [True] * 2
    assert deployment.wait_for(receipt.id, "accepted").attempts == 0
    assert len(deployment.calls(sent)) == 1


def test_a_refusal_is_told(sender: list[str], environment: dict[str, str]) -> None:
    ended = run(sender, {"account": "portal", "email": "no address"}, environment)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "email" in ended.stderr
    assert "expected an e-mail address, such as jane@example.com" in ended.stderr


def test_events_are_read_with_a_group_from_where_it_was(
    deployment: Deployment, reader: list[str], surroundings: dict[str, str]
) -> None:
    deployment.redis.xgroup_destroy("invitations:events", "shop")

    def read(number: int) -> Running:
        program = [str(HERE / part) if Path(part).suffix else part for part in reader]
        return Running(f"reader-{Path(reader[-1]).suffix}-{number}", program, surroundings, deployment.folder)

    def hears(running: Running, order: str) -> None:
        within(lambda: f" portal {order} accepted" in running.text, f"{order} in what {running.name} printed")

    language = Path(reader[-1]).suffix.strip(".")
    first, second = job("portal", f"events-{language}-1"), job("portal", f"events-{language}-2")
    deployment.accept(first)
    running = read(1)
    try:
        hears(running, first["order"])
    finally:
        running.kill()
    deployment.wait_for(deployment.accept(second)[0].id, "accepted")
    running = read(2)
    try:
        hears(running, second["order"])
        assert first["order"] not in running.text
    finally:
        running.kill()


def test_the_task_that_a_job_names_hears_its_end(deployment: Deployment, surroundings: dict[str, str]) -> None:
    command = [sys.executable, "-m", "celery", "-A", "celery_replies", "worker", "--queues", "shop", "--pool", "solo"]
    listening = Running(
        "shop", command, {**surroundings, "REDIS_URL": deployment.redis_url, "PYTHONPATH": str(HERE)}, deployment.folder
    )
    try:
        sent = job("portal", "told", reply_to={"task": "shop.invitation_ended", "queue": "shop"})
        deployment.accept(sent)
        within(lambda: f"{sent['order']} accepted" in listening.text, "the end of it in what the task printed")
    finally:
        listening.kill()
