"""The overlays as kustomize renders them, against the schemas of Kubernetes and of KEDA: `make manifests`."""

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from cloudcoil.models.keda.v1alpha1 import ScaledObject

ROOT = Path(__file__).parents[2] / "ops" / "kubernetes"
KUBECTL = Path(sys.executable).with_name("kubectl")
OVERLAYS = sorted(folder.name for folder in (ROOT / "overlays").iterdir())
OLDEST, NEWEST = "1.27", "1.37"
KINDS = {
    "ConfigMap",
    "Deployment",
    "Namespace",
    "NetworkPolicy",
    "PersistentVolumeClaim",
    "PodDisruptionBudget",
    "ScaledObject",
    "Service",
}


@cache
def rendered(overlay: str) -> list[dict[str, Any]]:
    """What kustomize makes of an overlay."""
    command = [str(KUBECTL), "kustomize", str(ROOT / "overlays" / overlay)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    return list(yaml.safe_load_all(ran.stdout))


def of_kind(overlay: str, kind: str) -> dict[str, dict[str, Any]]:
    """By name, without the digest of what they hold."""
    found = [one for one in rendered(overlay) if one["kind"] == kind]
    return {one["metadata"]["name"]: one for one in found}


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_object_fits_the_schema_of_kubernetes(overlay: str, version: str) -> None:
    objects = [one for one in rendered(overlay) if one["kind"] != "ScaledObject"]

    assert {one["kind"] for one in objects} == KINDS - {"ScaledObject"}
    for one in objects:
        kubernetes_validate.validate(one, version, strict=True)


def test_the_check_finds_a_field_that_does_not_exist() -> None:
    worker = of_kind("sentinel", "Deployment")["invitations-worker"]

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**worker, "spec": {**worker["spec"], "replica": 2}}, NEWEST, strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_scaled_object_fits_the_schema_of_keda_and_has_nothing_else(overlay: str) -> None:
    [scaled] = of_kind(overlay, "ScaledObject").values()

    read = ScaledObject.model_validate(scaled)

    assert read.model_dump(by_alias=True, exclude_unset=True, mode="json") == scaled


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_is_named_is_there(overlay: str) -> None:
    deployments, maps = of_kind(overlay, "Deployment"), set(of_kind(overlay, "ConfigMap"))
    named = set()
    for deployment in deployments.values():
        pod = deployment["spec"]["template"]["spec"]
        named |= {volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume}
        named |= {source["configMapRef"]["name"] for each in pod["containers"] for source in each["envFrom"]}
    labels = [one["spec"]["template"]["metadata"]["labels"] for one in deployments.values()]
    selecting = [
        *of_kind(overlay, "PodDisruptionBudget").values(),
        *of_kind(overlay, "NetworkPolicy").values(),
        *of_kind(overlay, "Service").values(),
    ]

    assert named == maps
    assert set(of_kind(overlay, "PersistentVolumeClaim")) == {"invitations-flower"}
    assert [one["spec"]["scaleTargetRef"]["name"] for one in of_kind(overlay, "ScaledObject").values()] == [
        "invitations-worker"
    ]
    assert all(one["metadata"]["namespace"] == "invitations" for one in rendered(overlay) if one["kind"] != "Namespace")
    for one in selecting:
        selector = one["spec"].get("podSelector") or one["spec"].get("selector") or {}
        wanted = selector.get("matchLabels", selector)
        assert any(wanted.items() <= each.items() for each in labels), one["metadata"]["name"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nothing_but_keda_says_how_many_workers_there_are(overlay: str) -> None:
    deployments = of_kind(overlay, "Deployment")

    assert "replicas" not in deployments["invitations-worker"]["spec"]
    assert deployments["invitations-beat"]["spec"]["replicas"] == 1
    assert deployments["invitations-beat"]["spec"]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_probes_are_whole(overlay: str) -> None:
    containers = {
        name: one["spec"]["template"]["spec"]["containers"][0] for name, one in of_kind(overlay, "Deployment").items()
    }

    worker = containers["invitations-worker"]
    assert worker["readinessProbe"]["exec"]["command"] == ["python", "-m", "worker.health", "worker"]
    assert worker["livenessProbe"]["httpGet"] == worker["startupProbe"]["httpGet"]
    assert (worker["startupProbe"]["failureThreshold"], worker["livenessProbe"]["failureThreshold"]) == (60, 6)
    assert containers["invitations-beat"]["livenessProbe"]["exec"]["command"][-1] == "beat"
    assert containers["invitations-flower"]["livenessProbe"]["httpGet"]["path"] == "/healthcheck"
