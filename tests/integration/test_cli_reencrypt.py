"""`invitations doctor --reencrypt`, and what `doctor` says before and after it."""

import json
from typing import Any

import pytest
from cryptography.fernet import Fernet
from redis import Redis

from tests.command_line import CommandLine
from tests.integration.steps import send
from worker.job_text import FIELDS

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))
CURE = "invitations doctor --reencrypt"


def encryption(cli: CommandLine) -> dict[str, str]:
    """What `doctor` found of it."""
    findings: list[dict[str, str]] = cli("doctor", "--json").data["findings"]
    return next(finding for finding in findings if finding["check"] == "encryption")


def reencrypt(cli: CommandLine, *, code: int = 0) -> Any:
    ended = cli("doctor", "--reencrypt", "--json")
    assert ended.code == code
    return ended.data


def job(cli: CommandLine, invitation: str) -> Any:
    return json.loads(cli("show", invitation, "--job").out)


@pytest.fixture
def rotated(cli: CommandLine) -> list[str]:
    """Two jobs under the old key, one of them refused, and one under the new; both keys are set."""
    cli.set("ENCRYPTION_KEYS", OLD)
    good = send(cli, "1001")
    refused = cli("send", "--account", "portal", "--email", "canary", "--order", "7", "--json").data["id"]
    cli.set("ENCRYPTION_KEYS", f"{NEW},{OLD}")
    return [good, refused, send(cli, "1002")]


def test_all_is_sealed_with_the_newest_key(cli: CommandLine, rotated: list[str]) -> None:
    before = [job(cli, invitation) for invitation in rotated]
    found = encryption(cli)
    assert (found["level"], found["advice"]) == ("warning", f"when every process has these keys, run {CURE}")
    assert found["found"] == (
        "of the 4 sealed texts that were looked at, 3 are not sealed as INVITATIONS_ENCRYPTION_KEYS says"
    )

    assert reencrypt(cli) == {"ok": True, "texts": 4, "older": 3, "unreadable": 0}
    assert reencrypt(cli) == {"ok": True, "texts": 4, "older": 0, "unreadable": 0}

    cli.set("ENCRYPTION_KEYS", NEW)
    assert [job(cli, invitation) for invitation in rotated] == before
    assert encryption(cli) == {
        "level": "ok",
        "check": "encryption",
        "found": "with the newest key (4 texts looked at)",
        "advice": "",
    }


def test_people_read_what_was_done(cli: CommandLine, rotated: list[str]) -> None:
    ended = cli("doctor", "--reencrypt")

    assert len(rotated) == 3
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == ("4 sealed texts (jobs, and the key of the ids): 3 sealed anew, 0 opened by none of the keys\n")


def test_its_progress_is_shown_on_a_terminal(cli: CommandLine, rotated: list[str]) -> None:
    code, shown = cli.on_terminal("doctor", "--reencrypt")

    assert len(rotated) == 3
    assert code == 0
    assert "100%" in shown
    assert "3 sealed anew" in shown


def test_what_no_key_opens_is_counted_and_said_with_what_to_do(
    cli: CommandLine, rotated: list[str], real_redis: Redis
) -> None:
    lost = Fernet(LOST).encrypt(b"canary").decode()
    real_redis.hdel(f"invitations:record:{rotated[0]}", *FIELDS)
    real_redis.hset(f"invitations:record:{rotated[0]}", "job", f"fernet:{lost}")

    ended = cli("doctor", "--reencrypt")

    assert ended.code == 1
    assert "2 sealed anew, 1 opened by none of the keys" in ended.out
    assert ended.err == (
        "1 stayed as they were: add the key that they were sealed with to INVITATIONS_ENCRYPTION_KEYS,"
        f" and run {CURE}\n"
    )
    assert reencrypt(cli, code=1) == {"ok": False, "texts": 4, "older": 0, "unreadable": 1}
    found = encryption(cli)
    assert (found["level"], found["advice"]) == ("problem", ended.err.strip().removeprefix("1 stayed as they were: "))
    assert "canary" not in str(found) + ended.out + ended.err


def test_without_keys_there_is_nothing_to_do(cli: CommandLine) -> None:
    send(cli, "1")

    assert reencrypt(cli) == {"ok": True, "texts": 2, "older": 0, "unreadable": 0}
    assert encryption(cli)["found"] == "no: INVITATIONS_ENCRYPTION_KEYS sets no key (2 texts looked at)"


def test_encryption_is_turned_off(cli: CommandLine, rotated: list[str]) -> None:
    before = [job(cli, invitation) for invitation in rotated]
    cli.set("ENCRYPTION_KEYS", f"plain,{NEW},{OLD}")

    assert reencrypt(cli) == {"ok": True, "texts": 4, "older": 4, "unreadable": 0}

    cli.set("ENCRYPTION_KEYS", "")
    assert [job(cli, invitation) for invitation in rotated] == before


@pytest.mark.parametrize(
    "keys", [f"{NEW},plain", "canary", f"{NEW},canary"], ids=["plain last", "no key", "one is none"]
)
def test_keys_that_cannot_be_used_are_said_and_not_shown(cli: CommandLine, keys: str) -> None:
    cli.set("ENCRYPTION_KEYS", keys)

    ended = cli("doctor", "--reencrypt")

    assert (ended.code, ended.out) == (2, "")
    assert "INVITATIONS_ENCRYPTION_KEYS: expected Fernet keys" in ended.err
    assert NEW not in ended.err
    assert "canary" not in ended.err


def test_a_redis_that_is_away_is_said(cli: CommandLine) -> None:
    cli.take_redis_away()

    ended = cli("doctor", "--reencrypt")

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("Redis does not answer")
