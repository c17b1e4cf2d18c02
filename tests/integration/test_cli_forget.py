"""`invitations forget`: of an address nothing is left in Redis, in whatever state, account or queue it stood."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import Celery
from cryptography.fernet import Fernet
from redis import Redis

from config.celery_values import INBOX, INBOX_READERS
from tasks.inbox import InboxReader
from tasks.unaccepted import _messages
from tests.command_line import CommandLine
from tests.integration.steps import claim, send, settle
from tests.support import everything_in
from worker.ledger import ledger

JANE = "canary.jane@example.com"
JOB = {
    "account": "shop_nl",
    "email": JANE,
    "order": "canary-order",
    "customer": {"full_name": "Canary Doedelsma", "phone_numbers": ["+31655501999"]},
}
OTHER = {"account": "shop_nl", "email": "ary.jane@example.com", "order": "other"}
PERSONAL = ("canary", "55501999", "doedelsma")

Way = Callable[[str, Any], None]


def traces(redis: Redis) -> list[str]:
    everything = everything_in(redis).lower()
    return [word for word in PERSONAL if word.lower() in everything]


def enqueue(cli: CommandLine, job: dict[str, Any]) -> str:
    return str(cli("send", cli.write("job.json", json.dumps(job)), "--json").data["id"])


def shown(cli: CommandLine, invitation: str) -> dict[str, Any]:
    return dict(cli("show", invitation, "--json").data)


def forget(cli: CommandLine, *arguments: str) -> dict[str, Any]:
    ended = cli("forget", "--email", JANE, "--yes", "--json", *arguments)
    assert (ended.code, ended.err) == (0, "")
    return dict(ended.data)


def live(cli: CommandLine) -> dict[str, str]:
    """An invitation of Jane's in every state, and one more in another account."""
    ids = {}
    for ended_as in ("sent", "accepted", "duplicate", "rejected", "failed", "cancelled"):
        ids[ended_as] = enqueue(cli, {**JOB, "order": f"canary-{ended_as}"})
        known = {"reference": "canary-reference", "expect": True} if ended_as == "accepted" else {}
        settle(ids[ended_as], state=ended_as, **known)
    ids["held"] = enqueue(cli, {**JOB, "order": "canary-held"})
    claim(ids["held"])
    ids["waiting"] = enqueue(cli, {**JOB, "order": "canary-waiting", "idempotency_key": "canary-key"})
    ids["refused"] = enqueue(cli, {**JOB, "canary_field": 1})
    ids["elsewhere"] = send(cli, "canary-elsewhere", "portal")
    cli("suppress", "add", "--email", JANE, "--account", "reviews")
    ids["suppressed"] = enqueue(cli, {**JOB, "account": "reviews"})
    return ids


@pytest.mark.parametrize("encrypted", [False, True])
def test_nothing_of_the_address_is_left_and_the_others_stay(
    cli: CommandLine, real_redis: Redis, encrypted: bool
) -> None:
    if encrypted:
        cli.set("ENCRYPTION_KEYS", Fernet.generate_key().decode())
    ids = live(cli)
    other = enqueue(cli, OTHER)
    before = {name: shown(cli, one) for name, one in ids.items()}
    assert traces(real_redis) != []

    told = forget(cli)

    assert told == {
        "addresses": 1,
        "forgotten": 11,
        "accounts": {
            "portal": {"queued": 1},
            "reviews": {"suppressed": 1},
            "shop_nl": {
                **dict.fromkeys(("sent", "accepted", "duplicate", "rejected", "failed", "cancelled"), 1),
                **dict.fromkeys(("delivering", "queued", "refused"), 1),
            },
        },
        "unaccepted": 0,
        "events": told["events"],
        "suppressed": False,
    }
    assert traces(real_redis) == []
    for name, one in ids.items():
        after, waited = shown(cli, one), name in ("waiting", "elsewhere")
        assert after["state"] == ("cancelled" if waited else before[name]["state"])
        assert (after["order"], after["provider_reference"], after["faults"]) == ("", None, [])
        assert after["forgotten_at"] is not None
        states = [change["state"] for change in before[name]["history"]]
        assert [change["state"] for change in after["history"]] == states + ["cancelled"] * waited
    assert shown(cli, other)["order"] == "other"
    assert json.loads(cli("show", other, "--job").out) == OTHER


def test_what_it_did_is_printed_and_noted_without_the_address(cli: CommandLine, real_redis: Redis) -> None:
    enqueue(cli, JOB)

    ended, again = cli("forget", "--email", JANE, "-y"), forget(cli)

    assert (ended.code, ended.err) == (0, "")
    assert [line.split() for line in ended.out.splitlines()] == [
        ["1", "invitations", "forgotten"],
        ["account", "state", "forgotten"],
        ["shop_nl", "queued", "1"],
    ]
    assert again["forgotten"] == 0
    entries: Any = real_redis.xrange("invitations:erasures")
    assert [(event["addresses"], event["forgotten"], event["accounts"]) for _, event in entries] == [
        ("1", "1", '{"shop_nl": {"queued": 1}}'),
        ("1", "0", "{}"),
    ]


def test_the_events_of_others_and_the_news_of_the_cancelling_stay(cli: CommandLine, real_redis: Redis) -> None:
    invitation = enqueue(cli, JOB)
    enqueue(cli, OTHER)

    assert forget(cli)["events"] == 1

    entries: Any = real_redis.xrange("invitations:events")
    assert [(event["id"] == invitation, event["order"], event["state"], event["reason"]) for _, event in entries] == [
        (False, "other", "queued", ""),
        (True, "", "cancelled", "forgotten"),
    ]


def test_events_that_a_broken_run_left_go_with_the_next(cli: CommandLine, real_redis: Redis) -> None:
    ledger().forget(enqueue(cli, JOB))
    assert traces(real_redis) == ["canary"]

    told = forget(cli)

    assert (told["forgotten"], told["events"]) == (0, 1)
    assert traces(real_redis) == []


def test_the_same_job_again_is_not_sent_and_a_new_one_is(cli: CommandLine) -> None:
    first = enqueue(cli, JOB)
    settle(first, state="accepted")
    forget(cli)

    assert enqueue(cli, JOB) == first
    assert shown(cli, first)["state"] == "accepted"
    assert shown(cli, enqueue(cli, {**JOB, "order": "new"}))["state"] == "queued"


def test_with_suppress_new_jobs_end_as_suppressed(cli: CommandLine, real_redis: Redis) -> None:
    told = forget(cli, "--suppress")

    assert told["suppressed"] is True
    assert shown(cli, enqueue(cli, {**JOB, "order": "new"}))["state"] == "suppressed"
    assert cli("suppress", "check", "--email", JANE).out == "1 of 1 suppressed\n  1: all accounts\n"


def test_a_forgotten_one_cannot_be_replayed_nor_its_job_shown(cli: CommandLine) -> None:
    failed = enqueue(cli, JOB)
    settle(failed, state="failed")
    forget(cli)

    replayed, job = cli("replay", failed), cli("show", failed, "--job")

    assert (replayed.code, replayed.out) == (1, "0 replayed, 1 not\n")
    assert replayed.err == f"{failed} was not replayed: forgotten: its job is no longer kept\n"
    assert (job.code, job.err) == (
        1,
        "Its job is no longer kept: its customer was forgotten, or asked for no invitations.\n",
    )


@pytest.mark.parametrize("encrypted", [False, True])
def test_records_of_an_older_version_are_found_by_their_job(
    cli: CommandLine, real_redis: Redis, encrypted: bool
) -> None:
    if encrypted:
        cli.set("ENCRYPTION_KEYS", Fernet.generate_key().decode())
    theirs, refused, other = enqueue(cli, JOB), enqueue(cli, {**JOB, "x": 1}), enqueue(cli, OTHER)
    for one in (theirs, refused, other):
        assert real_redis.hdel(f"invitations:record:{one}", "who") == 1

    assert forget(cli)["accounts"] == {"shop_nl": {"queued": 1, "refused": 1}}

    assert traces(real_redis) == []
    assert shown(cli, other)["forgotten_at"] is None


@pytest.mark.parametrize(
    "raw",
    [
        '{"account": "shop_nl", "mail": "Canary.Jane@Example.COM"}',
        '{"account": "shop_nl", "email": "canary.jane\\u0040example.com", "x": 1}',
        '{"account": "shop_nl", "email": "joe@example.com", "filtercode": "canary.jane@example.com"}',
        "no JSON at all: <canary.jane@example.com>.",
        '["canary.jane@example.com"]',
        json.dumps({"headers": {}, "body": b64encode(b'[[{"email": "Canary.Jane@example.com"}], {}]').decode()}),
        json.dumps({"headers": {}, "body": b64encode(b'[["canary.jane\\u0040example.com"], {}]').decode()}),
        '{"account": "shop_nl", "e": "canary.jane\\u0040example.com"}',
    ],
)
def test_a_refused_job_is_searched_for_the_address(cli: CommandLine, real_redis: Redis, raw: str) -> None:
    refused = cli("send", cli.write("job.json", raw), "--json").data["id"]

    assert forget(cli)["forgotten"] == 1

    assert traces(real_redis) == []
    assert shown(cli, refused)["state"] == "refused"


@pytest.mark.parametrize("address", ["ary.jane@example.com", "canary.jane@example.co", "jane@example.com"])
def test_an_address_that_is_part_of_another_is_not_that_other(cli: CommandLine, address: str) -> None:
    enqueue(cli, {**JOB, "mail": JANE, "email": "nobody", "x": 1})

    ended = cli("forget", "--email", address, "--yes", "--json")

    assert ended.data["forgotten"] == 0


def test_one_that_cannot_be_opened_stops_it_and_says_which_key_is_missing(cli: CommandLine, real_redis: Redis) -> None:
    cli.set("ENCRYPTION_KEYS", Fernet.generate_key().decode())
    invitation = enqueue(cli, JOB)
    real_redis.hdel(f"invitations:record:{invitation}", "who")
    real_redis.delete("invitations:id_key")
    cli.set("ENCRYPTION_KEYS", Fernet.generate_key().decode())

    ended = cli("forget", "--email", JANE, "--yes")

    assert (ended.code, ended.out) == (2, "")
    assert "INVITATIONS_ENCRYPTION_KEYS: expected to include the key" in ended.err
    assert "canary" not in ended.err


def by_stream(url: str, job: Any) -> None:
    with Redis.from_url(url) as redis:
        redis.xadd(INBOX, {"job": json.dumps(job)})


def by_stream_with_a_fault(url: str, job: Any) -> None:
    """A message that a worker could not read, on its way to the refused jobs."""
    message = json.dumps({"body": b64encode(json.dumps([[job], {}]).encode()).decode()})
    with Redis.from_url(url) as redis:
        redis.xadd(INBOX, {"job": message, "fault": "names no task"})


def by_stream_taken(url: str, job: Any) -> None:
    with Redis.from_url(url, decode_responses=True) as redis:
        InboxReader(redis, idle_ms=1_000)._create_group()
        by_stream(url, job)
        assert redis.xreadgroup(INBOX_READERS, "a worker", {INBOX: ">"})


def by_celery(url: str, job: Any, protocol: int = 2, **options: Any) -> None:
    with Celery(broker=url) as client:
        client.conf.task_protocol = protocol
        client.send_task("invitations.send", **{"args": [job], "queue": "invitations", **options})


def by_celery_taken(url: str, job: Any) -> None:
    by_celery(url, job)
    with Celery(broker=url) as client, client.connection_for_read() as connection:
        channel: Any = connection.channel()
        # It dies with the message in its hands.
        channel.do_restore = False
        assert channel.basic_get("invitations")
    with Redis.from_url(url) as redis:
        assert redis.hlen("unacked") == redis.zcard("unacked_index") > 0


WAYS: dict[str, Way] = {
    "the inbox": by_stream,
    "the inbox, taken by a worker": by_stream_taken,
    "Celery's queue": by_celery,
    "Celery's queue, by a keyword": lambda url, job: by_celery(url, job, args=[], kwargs={"job": job}),
    "Celery's queue, with a priority": lambda url, job: by_celery(url, job, priority=9),
    "a queue that nobody reads": lambda url, job: by_celery(url, job, queue="invitation"),
    "no queue named": lambda url, job: by_celery(url, job, queue=None),
    "Celery's queue, compressed": lambda url, job: by_celery(url, job, compression="gzip"),
    "Celery's queue, in the older protocol": lambda url, job: by_celery(url, job, protocol=1),
    "Celery's queue, taken by a worker": by_celery_taken,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_job_that_nobody_accepted_yet_is_forgotten_too(cli: CommandLine, real_redis: Redis, way: str) -> None:
    WAYS[way](cli.redis_url, OTHER)
    WAYS[way](cli.redis_url, JOB)
    assert traces(real_redis) != []

    told = forget(cli)

    assert (told["unaccepted"], told["accounts"]) == (1, {"shop_nl": {"queued": 1}})
    assert traces(real_redis) == []
    assert OTHER["email"] in everything_in(real_redis), "what is another's waits as it did"
    # The worker that had it in its hands accepts it now: it is the same invitation.
    [cancelled] = cli("list", "--json").data
    assert (cancelled["state"], enqueue(cli, JOB)) == ("cancelled", cancelled["id"])


def test_a_job_that_a_worker_gives_back_while_it_looks_is_forgotten_too(
    cli: CommandLine, real_redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_celery_taken(cli.redis_url, JOB)

    def given_back(redis: Redis, queue: str) -> Iterator[str]:
        yield from _messages(redis, queue)
        for tag, note in redis.hgetall("unacked").items():
            redis.hdel("unacked", tag)
            redis.rpush("invitations", json.dumps(json.loads(note)[0]))

    monkeypatch.setattr("tasks.unaccepted._messages", given_back)

    assert forget(cli)["unaccepted"] == 1

    assert traces(real_redis) == []


def test_a_message_that_no_worker_could_read_is_forgotten_too(cli: CommandLine, real_redis: Redis) -> None:
    by_stream_with_a_fault(cli.redis_url, OTHER)
    by_stream_with_a_fault(cli.redis_url, JOB)

    told = forget(cli)

    assert (told["unaccepted"], told["accounts"]) == (1, {"-": {"refused": 1}})
    assert traces(real_redis) == []
    assert real_redis.xlen(INBOX) == 1


def test_what_is_no_job_of_ours_is_taken_out_of_the_queue(cli: CommandLine, real_redis: Redis) -> None:
    with Celery(broker=cli.redis_url) as client:
        client.send_task("invitations.unknown", args=[JOB], queue="invitations")
        client.send_task("another.task", args=[OTHER], queue="invitations")
    broken = {"headers": {"of": JANE, "compression": "gzip"}, "body": "x", "properties": {}}
    real_redis.lpush("invitations", f"no message: {JANE}", "nor this", json.dumps(broken))

    told = forget(cli)

    assert (told["unaccepted"], told["forgotten"]) == (3, 0)
    assert traces(real_redis) == []
    assert real_redis.llen("invitations") == 2


def test_messages_of_other_queues_are_not_touched(cli: CommandLine, real_redis: Redis) -> None:
    message = json.dumps([{"body": JANE, "headers": {}, "properties": {}}, "", "of-another-program"])
    real_redis.hset("unacked", "tag", message)

    assert forget(cli)["unaccepted"] == 0

    assert real_redis.hget("unacked", "tag") == message


def test_many_come_from_a_file(cli: CommandLine, real_redis: Redis) -> None:
    kept = [enqueue(cli, {**OTHER, "email": f"joe.{number}@example.com"}) for number in range(3)]
    for number in range(1_200):
        real_redis.hset(f"unrelated:{number}", "field", "value")
    enqueue(cli, JOB)
    enqueue(cli, {**JOB, "email": "canary.two@example.com", "order": "canary-2"})
    file = cli.write("addresses.txt", f"{JANE}\ncanary.two@example.com\n{JANE.upper()}\n")

    ended = cli("forget", "--file", file, "--yes", "--json")

    assert (ended.data["addresses"], ended.data["forgotten"]) == (2, 2)
    assert traces(real_redis) == []
    assert [shown(cli, one)["state"] for one in kept] == ["queued"] * 3


@pytest.mark.parametrize(("answer", "code", "becomes"), [("n\n", 1, "queued"), ("y\n", 0, "cancelled")])
def test_on_a_terminal_it_asks_first(cli: CommandLine, answer: str, code: int, becomes: str) -> None:
    invitation = enqueue(cli, JOB)

    ended, text = cli.on_terminal("forget", "--email", JANE, answer=answer)

    assert "Forget 1 address, for good? [y/N]: " in text
    assert (ended, shown(cli, invitation)["state"]) == (code, becomes)


def test_without_a_terminal_it_wants_yes(cli: CommandLine) -> None:
    invitation = enqueue(cli, JOB)

    ended = cli.process("forget", "--email", JANE)

    assert (ended.code, ended.out) == (2, "")
    assert "to forget 1 add --yes" in ended.err
    assert shown(cli, invitation)["state"] == "queued"
