"""What `invitations doctor` found, and a sign of a worker for it to find."""

from collections.abc import Iterator

import pytest
from redis import Redis

from config.celery_values import INBOX, INBOX_READERS
from tests.command_line import CommandLine


@pytest.fixture
def durable(real_redis: Redis) -> Iterator[Redis]:
    """With an append-only file, so that nothing but what is looked at can be wrong."""
    before = str(real_redis.config_get("appendonly")["appendonly"])
    real_redis.config_set("appendonly", "yes")
    yield real_redis
    real_redis.config_set("appendonly", before)


def findings(cli: CommandLine, *, code: int = 0) -> dict[str, dict[str, str]]:
    """By check. The exit code must be `code`."""
    ended = cli("doctor", "--json")
    assert (ended.code, ended.err) == (code, "")
    assert ended.data["ok"] == (code == 0)
    return {finding["check"]: finding for finding in ended.data["findings"]}


def let_a_worker_read(redis: Redis, name: str = "reader-1") -> None:
    """As every worker that runs does all the time."""
    redis.xgroup_create(INBOX, INBOX_READERS, id="0", mkstream=True)
    redis.xreadgroup(INBOX_READERS, name, {INBOX: ">"})
