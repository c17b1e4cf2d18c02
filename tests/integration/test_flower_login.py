"""Flower does not start without a login, unless the setting says so by name."""

import pytest
import requests

from tests.integration.deployment import FLOWER_LOGIN, Deployment
from tests.integration.processes import Running, celery
from tests.support import free_port
from worker.dashboard import NO_LOGIN

WARNING = "Flower asks for no login"
LOGIN = ":".join(FLOWER_LOGIN)


@pytest.fixture(scope="module", autouse=True)
def _files(deployment: Deployment) -> None:
    (deployment.folder / "without_login.py").write_text("max_tasks = 5\n")
    (deployment.folder / "with_login.py").write_text(f'basic_auth = ["{LOGIN}"]\n')


def start(deployment: Deployment, *options: str, variable: str | None = None, **settings: str) -> tuple[Running, str]:
    """Flower and its address; `variable` is its own FLOWER_BASIC_AUTH."""
    port = free_port()
    prefix = [] if variable is None else ["env", f"FLOWER_BASIC_AUTH={variable}"]
    command = [*prefix, *celery("flower", f"--port={port}", *options)]
    return deployment.start("flower", command, **settings), f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("options", "variable"),
    [
        ((), None),
        ((), ""),
        (("--auth_provider=flower.views.auth.GithubLoginHandler",), None),
        (("--conf=without_login.py",), None),
    ],
    ids=["nothing", "an empty login", "a provider for nobody", "a file of their own"],
)
def test_without_a_login_it_ends_with_what_to_do(
    deployment: Deployment, options: tuple[str, ...], variable: str | None
) -> None:
    flower, _ = start(deployment, *options, variable=variable)

    assert flower.end() == 1
    assert flower.text == NO_LOGIN + "\n"


@pytest.mark.parametrize(
    ("options", "variable"),
    [((f"--basic-auth={LOGIN}",), None), ((), LOGIN), (("--conf=with_login.py",), None)],
    ids=["option", "variable", "file"],
)
def test_with_a_login_it_starts_and_asks_for_it(
    deployment: Deployment, options: tuple[str, ...], variable: str | None
) -> None:
    flower, url = start(deployment, *options, variable=variable)
    flower.wait_for("Visit me at")

    for page in ("workers", "api/workers"):
        assert requests.get(f"{url}/{page}", timeout=20).status_code == 401
        assert requests.get(f"{url}/{page}", auth=FLOWER_LOGIN, timeout=20).status_code == 200
    assert WARNING not in flower.text


def test_told_by_name_it_starts_with_a_warning_and_its_api_stays_shut(deployment: Deployment) -> None:
    flower, url = start(deployment, FLOWER_WITHOUT_LOGIN="yes")
    flower.wait_for("Visit me at")

    assert WARNING in flower.text
    assert requests.get(f"{url}/workers", timeout=20).status_code == 200
    sent = requests.post(f"{url}/api/task/send-task/invitations.send", json={"args": [{}]}, timeout=20)
    assert sent.status_code == 401
