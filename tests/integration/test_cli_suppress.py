"""`invitations suppress`: who is on the list, in which account, and what that means for jobs of every way in."""

import json

import pytest
from redis import Redis

from config.celery_values import INBOX
from tasks.enqueue import enqueue, enqueue_many
from tasks.inbox import InboxReader
from tasks.send import send as celery_task
from tests.command_line import CommandLine
from tests.integration.steps import claim, send, settle
from tests.support import everything_in

JANE = "canary.jane@example.com"
JOB = {"account": "portal", "email": "Canary.Jane@EXAMPLE.com", "order": "1"}


def state(cli: CommandLine, invitation: str) -> str:
    return str(cli("show", invitation, "--json").data["state"])


def checked(cli: CommandLine, *arguments: str) -> list[set[str]]:
    """For each address that is on a list the names of the lists."""
    data = cli("suppress", "check", *arguments, "--json").data
    return [set(one["since"]) for one in data["suppressed"]]


def test_the_list_holds_no_address(cli: CommandLine, real_redis: Redis) -> None:
    added = cli("suppress", "add", "--email", JANE, "--email", "canary.joe@example.com")

    assert (added.code, added.out) == (0, "2 added, 0 already there; 0 invitations that waited were ended\n")
    assert cli("suppress", "add", "--email", JANE.upper(), "--json").data == {"added": 0, "known": 1, "ended": 0}
    assert "canary" not in everything_in(real_redis).lower()
    assert checked(cli, "--email", f" {JANE} ", "--email", "nobody@example.com") == [{"*"}]


@pytest.mark.parametrize(
    ("listed", "asked"),
    [
        ("Jane@Example.com", "jane@example.COM"),
        ("jane@b\u00fccher.example", "JANE@xn--bcher-kva.example"),
        ("zo\u00eb@example.com", "zoe\u0308@example.com"),
    ],
)
def test_an_address_is_known_in_all_its_spellings(cli: CommandLine, listed: str, asked: str) -> None:
    cli("suppress", "add", "--email", listed)

    assert checked(cli, "--email", asked, "--email", "jane@bucher.example") == [{"*"}]


def test_what_waits_is_ended_and_the_rest_is_not(cli: CommandLine) -> None:
    waiting, announced, held = send(cli, "1"), send(cli, "2"), send(cli, "3", "portal")
    claim(held)
    other = cli("send", "--account", "shop_nl", "--email", "joe@example.com", "--json").data["id"]

    added = cli("suppress", "add", "--email", JANE, "--json")

    assert added.data == {"added": 1, "known": 0, "ended": 2}
    assert [state(cli, one) for one in (waiting, announced, held, other)] == [
        "suppressed",
        "suppressed",
        "delivering",
        "queued",
    ]
    kept = cli("show", waiting, "--job")
    assert (kept.code, kept.out) == (1, "")
    assert kept.err == "Its job is no longer kept: its customer was forgotten, or asked for no invitations.\n"


def test_what_waits_since_an_older_version_is_ended_too(cli: CommandLine, real_redis: Redis) -> None:
    waiting, held = send(cli, "1"), send(cli, "2", "portal")
    claim(held)
    for one in (waiting, held):
        real_redis.hdel(f"invitations:record:{one}", "who")

    assert cli("suppress", "add", "--email", JANE, "--json").data["ended"] == 1

    assert state(cli, waiting) == "suppressed"
    assert real_redis.hget(f"invitations:record:{held}", "who"), "it is known when its turn comes again"


def test_every_way_in_says_suppressed(cli: CommandLine, real_redis: Redis) -> None:
    cli("suppress", "add", "--email", JANE)
    reader = InboxReader(real_redis, idle_ms=1_000)
    reader._create_group()

    def job(way: str) -> dict[str, str]:
        return {**JOB, "order": way}

    sent = cli("send", cli.write("job.json", json.dumps(job("command"))))
    sent_json = cli("send", cli.write("job.json", json.dumps(job("json"))), "--json")
    again = cli("send", cli.write("job.json", json.dumps(job("json"))))
    imported = cli("import", cli.write("jobs.jsonl", json.dumps(job("import")) + "\n" + json.dumps(job("import"))))
    imported_json = cli("import", cli.write("jobs.jsonl", json.dumps(job("import json"))), "--json")
    real_redis.xadd(INBOX, {"job": json.dumps(job("inbox"))})
    reader.turn()
    receipt, summary, result = enqueue(job("python")), enqueue_many([job("many")]), celery_task(job("celery"))

    assert (sent.code, sent.err) == (0, "")
    assert sent.out.endswith(": suppressed, and not sent: the address asked for no invitations\n")
    assert (sent_json.code, sent_json.data["state"], sent_json.data["created"]) == (0, "suppressed", True)
    assert (again.code, again.out) == (0, f"{sent_json.data['id']}: known already, suppressed\n")
    assert (imported.code, imported.out) == (
        0,
        "0 accepted, 1 already known, 0 refused, 1 suppressed: no invitations were asked for\n",
    )
    assert imported_json.data == {
        "accepted": 0,
        "known": 0,
        "suppressed": 1,
        "refused": 0,
        "known_states": {},
        "refused_lines": [],
    }
    assert (receipt.state, receipt.created) == ("suppressed", True)
    assert (summary.accepted, summary.known, summary.suppressed, summary.refused) == (0, 0, 1, [])
    assert (result["state"], result["created"]) == ("suppressed", True)
    assert cli("status", "--json").data["accounts"]["portal"]["states"]["suppressed"] == 8
    assert "canary" not in everything_in(real_redis).lower()


def test_after_remove_new_jobs_pass_and_the_old_one_stays(cli: CommandLine) -> None:
    cli("suppress", "add", "--email", JANE)
    old = send(cli, "1")

    removed = cli("suppress", "remove", "--email", JANE)

    assert (removed.code, removed.out, removed.err) == (0, "1 removed\n", "")
    assert checked(cli, "--email", JANE) == []
    assert send(cli, "1") == old
    assert state(cli, old) == "suppressed"
    assert state(cli, send(cli, "2")) == "queued"
    assert cli("suppress", "remove", "--email", JANE, "--json").data == {"removed": 0, "still_suppressed": 0}


def test_an_account_has_a_list_of_its_own(cli: CommandLine) -> None:
    cli("suppress", "add", "--email", JANE, "--account", "portal")

    assert [state(cli, send(cli, "1", name)) for name in ("portal", "shop_nl")] == ["suppressed", "queued"]
    assert checked(cli, "--email", JANE) == [{"portal"}]
    assert checked(cli, "--email", JANE, "--account", "shop_nl") == []
    assert cli("suppress", "check", "--email", JANE).out == "1 of 1 suppressed\n  1: portal\n"
    assert cli("suppress", "remove", "--email", JANE, "--account", "shop_nl").out == "0 removed\n"
    assert cli("suppress", "remove", "--email", JANE).out == "1 removed\n"
    assert state(cli, send(cli, "2", "portal")) == "queued"


def test_one_account_cannot_be_taken_off_the_list_of_all(cli: CommandLine) -> None:
    cli("suppress", "add", "--email", JANE)

    removed = cli("suppress", "remove", "--email", JANE, "--account", "portal")

    assert (removed.code, removed.out) == (0, "0 removed\n")
    assert removed.err == "1 stay suppressed: they stand on the list of all accounts; leave --account out\n"
    assert state(cli, send(cli, "1", "portal")) == "suppressed"


def test_a_replay_of_theirs_ends_as_suppressed_and_says_so(cli: CommandLine) -> None:
    failed = send(cli, "1")
    settle(failed, state="failed")
    cli("suppress", "add", "--email", JANE)

    ended = cli("replay", failed)

    assert (ended.code, ended.out) == (1, "0 replayed, 1 not\n")
    assert ended.err == f"{failed} was not replayed: it is suppressed: no invitation is wanted there\n"
    assert state(cli, failed) == "suppressed"


def test_many_come_from_a_file_or_from_standard_input(cli: CommandLine) -> None:
    file = cli.write("addresses.txt", "\ufeffcanary.one@example.com\r\n\n  canary.two@example.com \n")

    assert cli("suppress", "add", "--file", file, "--json").data == {"added": 2, "known": 0, "ended": 0}

    ended = cli.process("suppress", "check", "--file", "-", stdin=b"joe@example.com\nCanary.Two@example.com\n")
    assert (ended.code, ended.out, ended.err) == (0, "1 of 2 suppressed\n  2: all accounts\n", "")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "expected either --email or --file"),
        (["--email", JANE, "--file", "x"], "expected either --email or --file"),
        (["--file", "nowhere.txt"], "cannot be read: No such file or directory"),
        (["--email", JANE, "--email", "canary"], "expected an address such as jane@example.com: --email, place 2"),
        (["--email", JANE, "--account", "shop_de"], "no account is named 'shop_de'"),
    ],
)
@pytest.mark.parametrize("action", ["add", "remove", "check"])
def test_bad_usage_changes_nothing_and_repeats_no_address(
    cli: CommandLine, real_redis: Redis, action: str, arguments: list[str], problem: str
) -> None:
    ended = cli("suppress", action, *arguments)

    assert (ended.code, ended.out) == (2, "")
    assert problem in " ".join(ended.err.split())
    assert "canary" not in ended.err
    assert real_redis.keys("invitations:suppressed*") == []


def test_every_line_that_is_no_address_is_counted(cli: CommandLine) -> None:
    file = cli.write("addresses.txt", "email\ncanary.one@example.com\ncanary\n@\n")

    ended = cli("suppress", "add", "--file", file)

    assert (ended.code, ended.out) == (2, "")
    assert "expected an address such as jane@example.com: line 1 and 2 more" in ended.err
