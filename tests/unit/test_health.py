"""The health check: it believes the age of a file, and says why; of beat it asks Redis before it says no."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import OutOfMemoryError, RedisError
from redis.retry import Retry

from config.celery_values import BEAT_LOCK
from config.settings import load_settings
from tests.command_line import forget
from tests.property.desk import Desk, account
from tests.support import free_port, wait_until
from tests.unit.test_ledger_full import full
from worker import health
from worker.bell import BELL
from worker.ledger import Ledger
from worker.pacer import Pacer
from worker.sign_of_life import SignOfLife

HEAVY = ("celery", "redis", "pydantic", "structlog", "prometheus_client")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "health"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INVITATIONS_HEALTH_FILE", str(path))
    return path


@pytest.fixture
def _fresh_settings() -> Iterator[None]:
    forget()
    yield
    forget()


def aged(file: Path, seconds: float) -> None:
    file.touch()
    moment = time.time() - seconds
    os.utime(file, (moment, moment))


def pacer(redis: Redis, file: Path, free: int) -> Pacer:
    """One whose threads are so many, and never deliver."""
    threads: Any = SimpleNamespace(wait_for_free=lambda _: free, publish_events=lambda: None)
    return Pacer(threads, Ledger(redis), redis, load_settings(health_file=file))


def test_a_worker_that_gave_a_sign_works(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    SignOfLife(file).give()

    assert health.main(["worker"]) == 0
    assert capsys.readouterr().out == "the pacer looked at the gates and Redis answered: 0 s ago\n"


def test_a_worker_beside_a_full_redis_works(real_redis: Redis, file: Path) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 1)

    with full(real_redis), pytest.raises(OutOfMemoryError):
        pacer(real_redis, file, 5).turn()

    assert health.main(["worker"]) == 0


def test_a_worker_goes_on_giving_signs_beside_a_full_redis(real_redis: Redis, file: Path) -> None:
    working = pacer(real_redis, file, 5)
    limited = {"a": account("a", limit="60/minute")}

    with full(real_redis), patch("worker.pacer.accounts", lambda: limited):
        working.start()
        for _ in range(3):
            wait_until(file.exists, seconds=30, what="a sign of life")
            file.unlink()
        working._loop.stop()


def test_a_sign_is_given_again_and_again(file: Path) -> None:
    aged(file, 100)

    SignOfLife(file).give()

    assert health.look("worker")[0] is True


def test_a_worker_that_gave_none_for_long_does_not(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    aged(file, 100)

    assert health.main(["worker"]) == 1
    assert "which is too long" in capsys.readouterr().out


def test_a_worker_that_gave_none_yet_does_not(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert health.main(["worker"]) == 1
    assert f"not yet, for there is no {file}" in capsys.readouterr().out


@pytest.mark.usefixtures("_fresh_settings")
def test_without_the_setting_it_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INVITATIONS_HEALTH_FILE", raising=False)

    assert health.main(["worker"]) == 1
    assert "INVITATIONS_HEALTH_FILE is not set" in capsys.readouterr().out


@pytest.mark.usefixtures("_fresh_settings")
def test_the_setting_may_stand_in_dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INVITATIONS_HEALTH_FILE", raising=False)
    (tmp_path / ".env").write_text(f"INVITATIONS_HEALTH_FILE={tmp_path}/health\n")
    SignOfLife(tmp_path / "health").give()

    assert health.look("worker")[0] is True


@pytest.mark.usefixtures("_fresh_settings")
def test_a_beat_stands_by_while_another_holds_the_lock(
    file: Path, real_redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVITATIONS_REDIS_URL", redis_url)
    real_redis.set(BEAT_LOCK, "of another", px=10_000)

    assert health.look("beat") == (True, "stands by: another beat holds the lock")
    assert health.look("worker")[0] is False


@pytest.mark.usefixtures("_fresh_settings")
def test_a_beat_that_gives_no_sign_while_none_holds_the_lock_does_not_work(
    file: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVITATIONS_REDIS_URL", redis_url)
    aged(file, 100)

    assert health.look("beat")[0] is False


@pytest.mark.usefixtures("_fresh_settings")
def test_nor_does_one_without_redis(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVITATIONS_REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")

    assert health.look("beat")[0] is False


@pytest.mark.parametrize("free", [0, 1])
def test_the_pacer_gives_a_sign_when_redis_answered(file: Path, real_redis: Redis, free: int) -> None:
    real_redis.rpush(BELL, "so that it does not wait")

    pacer(real_redis, file, free).turn()

    assert health.look("worker")[0] is True


@pytest.mark.parametrize("free", [0, 1])
def test_the_pacer_gives_none_while_redis_is_away(file: Path, free: int) -> None:
    with Redis(port=free_port(), retry=Retry(NoBackoff(), 0)) as away, pytest.raises(RedisError):
        pacer(away, file, free).turn()

    assert not file.exists()


@pytest.mark.parametrize("arguments", [[], ["flower"], ["worker", "beat"]])
def test_it_takes_one_of_two_words(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert health.main(arguments) == 2
    assert capsys.readouterr().err == "usage: python -m worker.health worker|beat\n"


def test_a_file_that_cannot_be_written_costs_nothing_but_the_check(tmp_path: Path) -> None:
    sign = SignOfLife(tmp_path / "nowhere" / "health")

    sign.give()
    sign.give()

    assert not (tmp_path / "nowhere").exists()


def test_it_is_light(file: Path) -> None:
    """It runs every few seconds in every container: where the file tells, nothing that is slow to import is."""
    SignOfLife(file).give()
    program = (
        "import sys; from worker import health; code = health.main(['beat']);"
        f" print(code, sorted(set({HEAVY}) & set(sys.modules)))"
    )
    root = Path(health.__file__).parents[1]

    ran = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)

    assert ran.stdout.splitlines()[-1] == "0 []"
