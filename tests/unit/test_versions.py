"""One version, wherever it is named."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_images_bear_the_version_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]

    assert f"image: invitations:${{INVITATIONS_VERSION:-{version}}}" in (ROOT / "docker-compose.yml").read_text("utf-8")
    assert f"newTag: {version}\n" in (ROOT / "ops/kubernetes/base/kustomization.yaml").read_text("utf-8")


def test_the_runbook_names_the_administrator_whom_compose_makes() -> None:
    made = (ROOT / "ops/docker/secrets.sh").read_text("utf-8")

    assert 'user default on #$(digest "$admin")' in made
    assert 'echo "$admin" >"$folder/redis/default_password"' in made
    told = "redis://default:$(cat secrets/redis/default_password)@127.0.0.1:6379/0"
    assert told in (ROOT / "ops/runbook.md").read_text("utf-8")
