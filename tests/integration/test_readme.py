"""The snippets of the README do what it says, against a real worker."""

import ast
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from ops.cli.app import COMMANDS
from tests.integration.deployment import Deployment, within

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
DEFAULT_URL = "redis://127.0.0.1:6379/0"


def snippet(language: str, containing: str) -> str:
    blocks = re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    [found] = [block for block in blocks if containing in block]
    return str(found)


def accepted_orders(deployment: Deployment) -> set[str]:
    return {record.order for record in deployment.records.latest(["shop_nl"], ["accepted"], 10)}


@pytest.fixture(scope="module", autouse=True)
def _worker(deployment: Deployment) -> None:
    deployment.start_worker()


def test_the_snippet_for_celery_enqueues_and_prints_the_answer(deployment: Deployment) -> None:
    code = snippet("python", "send_task").replace(DEFAULT_URL, deployment.redis_url)

    ended = deployment.run_python("-c", code)
    ended.end()

    answer = ast.literal_eval(ended.text.splitlines()[-1])
    assert answer == {"id": answer["id"], "state": "queued", "created": True}
    assert deployment.wait_for(answer["id"], "accepted").order == "1001"


def test_the_line_for_any_redis_client_enqueues(deployment: Deployment) -> None:
    program, *command = shlex.split(snippet("sh", "XADD"))
    assert program == "redis-cli"

    client: Any = deployment.redis
    client.execute_command(*command)

    within(lambda: "1002" in accepted_orders(deployment), "the invitation accepted")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_stands_in_the_readme(command: str) -> None:
    assert re.search(rf"`invitations {command}\b|, `{command} ", README), command


def test_every_file_that_the_readme_names_is_there() -> None:
    names = re.findall(r"\]\((?!http)([^)#]+)\)", README)

    assert names
    for name in names:
        assert (Path(__file__).parents[2] / name).exists(), name
