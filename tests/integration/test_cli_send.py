"""`invitations send`: what stands in the ledger afterwards, and what the person reads."""

import json
from typing import Any

import pytest
from redis import Redis

from tests.command_line import CommandLine
from worker.records import Records
from worker.vault import Vault

EMAIL = "canary.jane@example.com"


def kept_job(redis: Redis, invitation: str) -> dict[str, Any]:
    record = Records(redis).get(invitation)
    assert record is not None
    job: dict[str, Any] = json.loads(Vault().open(record.job))
    return job


def test_options_make_a_whole_job(cli: CommandLine, real_redis: Redis) -> None:
    ended = cli(
        "send",
        "--account",
        "shop_nl",
        "--email",
        EMAIL,
        "--order",
        "1001",
        "--language",
        "nl",
        "--full-name",
        "Jane Doe",
        "--first-name",
        "Jane",
        "--last-name",
        "Doe",
        "--phone",
        "+316",
        "--phone",
        "+317",
        "--order-total",
        "1500.99",
        "--delay",
        "5 days",
        "--client",
        "my-shop",
        "--platform-version",
        "2.1",
        "--plugin-version",
        "1.0",
        "--idempotency-key",
        "key-1",
        "--json",
        "--product",
        '{"id": "1", "name": "A", "url": "https://shop.example/1"}',
        "--product",
        '{"id": "2", "name": "B", "url": "https://shop.example/2"}',
    )

    assert (ended.code, ended.err) == (0, "")
    assert ended.data == {"id": ended.data["id"], "state": "queued", "created": True}
    assert kept_job(real_redis, ended.data["id"]) == {
        "account": "shop_nl",
        "email": EMAIL,
        "order": "1001",
        "language": "nl",
        "customer": {
            "full_name": "Jane Doe",
            "first_name": "Jane",
            "last_name": "Doe",
            "phone_numbers": ["+316", "+317"],
        },
        "order_total": "1500.99",
        "delay": {"amount": 5, "unit": "days"},
        "client": "my-shop",
        "platform_version": "2.1",
        "plugin_version": "1.0",
        "idempotency_key": "key-1",
        "products": [
            {"id": "1", "name": "A", "url": "https://shop.example/1"},
            {"id": "2", "name": "B", "url": "https://shop.example/2"},
        ],
    }


def test_options_that_only_some_providers_carry_reach_the_job(cli: CommandLine, real_redis: Redis) -> None:
    sent = cli(
        "send",
        "--account",
        "reviews",
        "--email",
        EMAIL,
        "--order",
        "1",
        "--filtercode",
        "north",
        "--delay",
        "1 hour",
        "--reminder",
        "2 weekdays",
        "--json",
    )
    registered = cli("send", "--account", "reviews", "--email", EMAIL, "--order", "2", "--no-invite", "--json")

    assert kept_job(real_redis, sent.data["id"]) == {
        "account": "reviews",
        "email": EMAIL,
        "order": "1",
        "filtercode": "north",
        "delay": {"amount": 1, "unit": "hours"},
        "reminder": {"amount": 2, "unit": "weekdays"},
    }
    assert kept_job(real_redis, registered.data["id"]) == {
        "account": "reviews",
        "email": EMAIL,
        "order": "2",
        "invite": False,
    }


def test_a_job_that_is_known_changes_nothing(cli: CommandLine) -> None:
    job = ("send", "--account", "shop_nl", "--email", EMAIL, "--order", "1001")
    first = cli(*job, "--json").data

    again, in_words = cli(*job, "--json"), cli(*job)

    assert (again.code, again.data) == (0, {"id": first["id"], "state": "queued", "created": False})
    assert (in_words.code, in_words.out) == (0, f"{first['id']}: known already, queued\n")


def test_a_file_and_standard_input_hold_the_job_as_json(cli: CommandLine) -> None:
    job = json.dumps({"account": "portal", "email": EMAIL}, indent=2)

    from_file = cli("send", cli.write("job.json", "\ufeff" + job), "--json")
    from_stdin = cli.process("send", "-", "--json", stdin=job.encode())

    assert (from_file.code, from_file.data["created"]) == (0, True)
    assert (from_stdin.code, from_stdin.err) == (0, "")
    assert from_stdin.data == {**from_file.data, "created": False}


def test_a_bad_job_is_kept_with_every_fault_and_is_code_2(cli: CommandLine, real_redis: Redis) -> None:
    ended = cli("send", "--account", "portal", "--email", "canary", "--delay", "2 fortnights", "--language", "nl")

    assert (ended.code, ended.out) == (2, "")
    first, *faults, kept = ended.err.splitlines()
    assert first == "The job was refused:"
    assert faults == [
        "  - email: expected an e-mail address, such as jane@example.com",
        "  - delay.unit: expected one of 'seconds', 'minutes', 'hours', 'days' or 'weekdays'",
    ]
    assert "canary" not in ended.err
    shown = cli("show", kept.split()[-4], "--json").data
    assert (shown["account"], shown["state"]) == ("portal", "refused")
    assert kept_job(real_redis, shown["id"])["language"] == "nl"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"account": "shop_nl"', {"field": "job", "problem": "is not valid JSON"}),
        ("[]", {"field": "job", "problem": "expected a JSON object"}),
        (
            '{"account": "nope", "email": "a@example.com"}',
            {"field": "account", "problem": "is not configured here"},
        ),
    ],
)
def test_a_bad_file_is_a_bad_job(cli: CommandLine, text: str, fault: dict[str, str]) -> None:
    ended = cli("send", cli.write("job.json", text), "--json")

    assert ended.code == 2
    assert ended.data == {"id": ended.data["id"], "state": "refused", "created": True, "faults": [fault]}
    assert cli("show", ended.data["id"], "--json").data["faults"] == [fault]


def test_a_file_that_is_no_text_is_bad_usage(cli: CommandLine) -> None:
    ended = cli("send", cli.write("job.json", b"\xff\xfe"))

    assert (ended.code, ended.out) == (2, "")
    assert "Invalid value for FILE: expected JSON in UTF-8" in ended.err


@pytest.mark.parametrize(
    "command",
    [
        ("send", "--account", "shop_nl", "--email", EMAIL),
        ("show", "1"),
        ("list",),
        ("status",),
        ("watch",),
        ("pause", "shop_nl"),
        ("resume", "shop_nl"),
        ("replay", "1"),
        ("cancel", "1"),
        ("cancel", "--account", "shop_nl"),
    ],
)
def test_without_redis_every_command_ends_with_1_and_one_clear_line(cli: CommandLine, command: list[str]) -> None:
    cli.take_redis_away()

    ended = cli(*command)

    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "Redis does not answer; check INVITATIONS_REDIS_URL and that the server runs.\n"


def test_a_process_of_its_own_ends_the_same_way(cli: CommandLine) -> None:
    cli.take_redis_away()

    ended = cli.process("status")

    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "Redis does not answer; check INVITATIONS_REDIS_URL and that the server runs.\n"
