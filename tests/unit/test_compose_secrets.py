"""The secrets of docker-compose.yml, as its script makes them."""

import os
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from config.accounts_file import load_accounts
from config.settings import load_settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("compose") / "secrets"
    make(made, "demo")
    return made


def make(folder: Path, *arguments: str) -> str:
    environment = os.environ | {"INVITATIONS_SECRETS": str(folder)}
    command = ["sh", str(ROOT / "ops" / "docker" / "secrets.sh"), *arguments]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


def contents(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_what_is_there_stays(folder: Path) -> None:
    before = contents(folder)

    make(folder, "demo")

    assert contents(folder) == before


def test_other_users_of_the_host_are_kept_out_and_those_of_containers_are_not(folder: Path) -> None:
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.rglob("*") if file.is_file()} == {0o644}


def test_a_worker_takes_its_folder_as_secrets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVITATIONS_SECRETS_DIR", str(folder / "worker"))
    monkeypatch.setenv("INVITATIONS_CA_FILE", str(folder / "worker" / "simulator_ca.pem"))

    settings = load_settings(accounts_file=folder / "worker" / "accounts.toml")

    address = urlsplit(settings.redis_url.get_secret_value())
    assert (address.username, address.hostname, len(address.password or "")) == ("invitations", "redis", 48)
    assert {account.base_url for account in load_accounts(settings).values()} == {"https://simulator:8900"}


def test_without_the_demo_the_accounts_are_asked_for(tmp_path: Path) -> None:
    assert "copy config/accounts.example.toml" in make(tmp_path / "secrets")
    assert not (tmp_path / "secrets" / "worker" / "accounts.toml").exists()


def test_redis_lets_the_workers_do_what_the_readme_says_and_no_more(folder: Path) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    [rules] = re.findall(r"^ACL SETUSER NAME on >PASSWORD (.*)$", readme, re.MULTILINE)

    users = (folder / "redis" / "users.acl").read_text().splitlines()

    for user, rights in (("invitations", rules), ("default", "~* &* +@all")):
        assert [line for line in users if re.fullmatch(rf"user {user} on #\w{{64}} {re.escape(rights)}", line)], user
