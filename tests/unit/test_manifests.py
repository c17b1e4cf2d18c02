"""What has to agree between the code and the files that run it elsewhere; `make manifests` looks at the rest."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from prometheus_client import REGISTRY

from config.accounts import BaseAccount
from config.accounts_file import load_accounts
from config.settings import PREFIX, Settings, load_settings
from worker.metrics import PACER_TURN

OPS = Path(__file__).parents[2] / "ops"
BASE, SYSTEMD = OPS / "kubernetes" / "base", OPS / "systemd"
ON_TOP_SECONDS = 2
SECRETS = {"shop_nl": "CODE", "portal": "TOKEN", "reviews": "CLIENT_SECRET"}


def deployments() -> Iterator[dict[str, Any]]:
    for file in BASE.glob("*.yaml"):
        for one in yaml.safe_load_all(file.read_text("utf-8")):
            if one["kind"] == "Deployment":
                yield one


def deployment(name: str) -> dict[str, Any]:
    [found] = [one for one in deployments() if one["metadata"]["name"] == name]
    return found


def settings_env() -> dict[str, str]:
    lines = (BASE / "settings.env").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def drain_seconds() -> float:
    """What a worker may need to end: README, "What is promised"."""
    lease = int(Settings.model_fields["lease_seconds"].default)
    return float(BaseAccount.model_fields["timeout"].default) + ON_TOP_SECONDS + lease


def test_kubernetes_and_systemd_give_a_worker_the_time_that_it_needs_to_end() -> None:
    pod = deployment("invitations-worker")["spec"]["template"]["spec"]
    [stop] = re.findall(r"^TimeoutStopSec=(\d+)$", (SYSTEMD / "invitations-worker@.service").read_text(), re.MULTILINE)

    assert drain_seconds() <= pod["terminationGracePeriodSeconds"] <= drain_seconds() + 5
    assert int(stop) == pod["terminationGracePeriodSeconds"]


@pytest.mark.parametrize("name", ["invitations-worker", "invitations-beat", "invitations-flower"])
def test_every_pod_may_do_little(name: str) -> None:
    pod = deployment(name)["spec"]["template"]["spec"]
    [container] = pod["containers"]

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    assert "env" not in container


def test_every_setting_of_the_manifests_exists(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    written = settings_env() | {f"{PREFIX}SECRETS_DIR": str(tmp_path)}
    for name, value in written.items():
        monkeypatch.setenv(name, value)

    read = load_settings()

    # Where Flower keeps what it saw is a setting of Flower's part.
    assert set(written) - {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} <= {f"{PREFIX}FLOWER_DB"}
    assert (read.metrics_host, read.log_format, read.concurrency) == ("0.0.0.0", "json", 20)


def test_the_accounts_of_the_manifests_lack_their_secrets_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for account, field in SECRETS.items():
        (tmp_path / f"{PREFIX}ACCOUNTS__{account.upper()}__{field}").write_text("canary", "utf-8")
    monkeypatch.setenv(f"{PREFIX}SECRETS_DIR", str(tmp_path))
    file = BASE / "accounts.toml"

    accounts = load_accounts(load_settings(accounts_file=file))

    assert set(accounts) == set(SECRETS)
    for account, fields in tomllib.loads(file.read_text("utf-8"))["accounts"].items():
        assert SECRETS[account].lower() not in fields


def test_the_probe_of_a_worker_asks_its_process_alone_and_not_redis() -> None:
    [container] = deployment("invitations-worker")["spec"]["template"]["spec"]["containers"]
    asked = urlsplit(container["livenessProbe"]["httpGet"]["path"])
    names = parse_qs(asked.query)["name[]"]

    families = list(REGISTRY.restricted_registry(names).collect())

    assert asked.path == "/metrics"
    assert [family.name for family in families] == names == [family.name for family in PACER_TURN.collect()]


def test_keda_asks_for_more_before_every_thread_of_a_worker_is_busy() -> None:
    [scaled] = yaml.safe_load_all((OPS / "kubernetes/components/keda/scaledobject.yaml").read_text("utf-8"))
    [trigger] = scaled["spec"]["triggers"]
    threads = int(settings_env()[f"{PREFIX}CONCURRENCY"])

    assert int(trigger["metadata"]["threshold"]) == 0.7 * threads
    assert trigger["metadata"]["query"].startswith("sum(invitations_threads_busy{")


def test_a_command_beside_the_units_gets_their_settings_and_secrets(tmp_path: Path) -> None:
    secrets, programs = tmp_path / "etc/secrets", tmp_path / "bin"
    for folder in (secrets, programs):
        folder.mkdir(parents=True)
    (secrets / "REDIS_URL").write_text("redis://:a word's end@127.0.0.1:1/0\n", "utf-8")
    (tmp_path / "etc/settings.env").write_text("INVITATIONS_CONCURRENCY=7\n", "utf-8")
    shown = programs / "shown"
    shown.write_text('#!/bin/sh\nprintf "%s\\n" "$INVITATIONS_REDIS_URL" "$INVITATIONS_CONCURRENCY" "$@"\n', "utf-8")
    shown.chmod(0o755)
    script = (SYSTEMD / "invitations-run").read_text("utf-8")
    places = {"/etc/invitations": str(tmp_path / "etc"), "/opt/invitations/bin": str(programs)}
    for place, here in places.items():
        script = script.replace(place, here)

    ran = subprocess.run(["sh", "-c", script, "invitations-run", "shown", "two words"], capture_output=True, check=True)

    assert ran.stdout.decode().splitlines() == ["redis://:a word's end@127.0.0.1:1/0", "7", "two words"]
