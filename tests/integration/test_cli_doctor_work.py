"""What `invitations doctor` says of the work: who does it, what waits for them, and what others left behind."""

import json
import time
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from config.celery_values import INBOX, INBOX_READERS
from tasks.inbox import InboxReader
from tasks.unaccepted import strays
from tests.command_line import CommandLine
from tests.integration.examined import durable, findings, let_a_worker_read
from tests.integration.steps import send
from tests.support import sealed_job, wait_until
from worker.ledger import ledger

START = "start celery -A worker.app worker"


redis = durable


def message(task: str = "invitations.send", queue: str = "invitations") -> str:
    """As Celery's transport keeps one that a worker took."""
    return json.dumps([{"headers": {"task": task}}, queue, queue])


@pytest.mark.usefixtures("redis")
def test_no_worker_is_a_problem_as_soon_as_there_is_something_to_do(cli: CommandLine) -> None:
    assert findings(cli)["workers"]["level"] == "warning"
    send(cli, "1", "portal")

    found = findings(cli, code=1)["workers"]

    assert (found["level"], found["advice"]) == ("problem", START)


def test_readers_that_ended_without_a_word_are_counted_beside_those_that_run(
    cli: CommandLine, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.doctor.work.ALIVE_MS", 1_500)
    let_a_worker_read(redis, "killed-1")
    reader = InboxReader(redis, idle_ms=60_000)
    reader.start()

    told = "1 run; 1 more ended without a word in the last day: killed, cut off, or of an older version"
    wait_until(lambda: findings(cli)["workers"]["found"] == told, seconds=20, what=told)

    reader.stop()
    assert [one["name"] for one in redis.xinfo_consumers(INBOX, INBOX_READERS)] == ["killed-1"]


def test_a_reader_that_ends_keeps_its_name_while_it_holds_a_job(redis: Redis) -> None:
    reader = InboxReader(redis, idle_ms=60_000)
    reader._create_group()
    entry = redis.xadd(INBOX, {"job": "{}"})
    redis.xreadgroup(INBOX_READERS, reader._name, {INBOX: ">"})

    reader.stop()

    held = redis.xpending_range(INBOX, INBOX_READERS, "-", "+", 10)
    assert [(one["consumer"], one["message_id"]) for one in held] == [(reader._name, entry)]


def test_jobs_that_nobody_reads_are_counted_and_a_problem_after_a_minute(cli: CommandLine, redis: Redis) -> None:
    let_a_worker_read(redis)
    redis.xadd(INBOX, {"job": "{}"})
    assert findings(cli)["inbox"]["found"] == "no dead reader holds a job, 1 are not read yet"
    redis.delete(INBOX)
    ids = [redis.xadd(INBOX, {"job": "{}"}, id=f"{ledger().now() - 90_000 + one}-0") for one in range(3)]
    let_a_worker_read_only(redis, ids[0])

    found = findings(cli, code=1)["inbox"]

    assert found["level"] == "problem"
    assert found["found"].startswith("2 jobs are not read, the oldest since ")
    assert found["advice"].startswith(START)


def let_a_worker_read_only(redis: Redis, entry: object) -> None:
    """One of the entries, and nothing since."""
    redis.xgroup_create(INBOX, INBOX_READERS, id="0")
    read: Any = redis.xreadgroup(INBOX_READERS, "reader-1", {INBOX: ">"}, count=1)
    assert [one for one, _ in read[0][1]] == [entry]


def test_an_inbox_that_no_worker_ever_read_is_counted(cli: CommandLine, redis: Redis) -> None:
    redis.xadd(INBOX, {"job": "{}"}, id="1-0")

    found = findings(cli, code=1)

    assert found["inbox"]["found"].startswith("1 jobs are not read, the oldest since ")
    assert found["workers"]["level"] == "problem"


def test_messages_in_celerys_queue_are_counted_in_all_its_lists(cli: CommandLine, redis: Redis) -> None:
    redis.lpush("invitations", "one", "two")
    redis.lpush("invitations\x06\x163", "three")
    assert findings(cli, code=1)["queue"] == {
        "level": "problem",
        "check": "queue",
        "found": "3 messages wait in Celery's queue, and no worker runs",
        "advice": START,
    }
    let_a_worker_read(redis)

    assert findings(cli)["queue"]["found"] == "3 messages wait in Celery's queue"


def test_messages_that_a_dead_worker_took_are_told(cli: CommandLine, redis: Redis) -> None:
    redis.hset("unacked", "tag", message())
    redis.zadd("unacked_index", {"tag": time.time()})
    assert findings(cli)["queue"]["level"] == "ok"
    redis.zadd("unacked_index", {"tag": time.time() - 121})

    found = findings(cli)["queue"]

    assert (found["level"], found["found"]) == ("warning", "1 messages were taken by workers that are gone")


def test_a_lock_of_beats_that_never_ends_is_a_problem(cli: CommandLine, redis: Redis) -> None:
    redis.set("invitations:beat::lock", "held")

    found = findings(cli, code=1)["beat"]

    assert (found["level"], found["found"]) == ("problem", "its lock has no end, so that no beat can take it")
    assert found["advice"].startswith("redis-cli DEL invitations:beat::lock;")


def test_a_beat_that_starts_nothing_is_a_problem(cli: CommandLine, redis: Redis) -> None:
    redis.set("invitations:beat::lock", "held", px=60_000)
    redis.zadd("invitations:beat::schedule", {"invitations:beat:upkeep": time.time() + 60})
    assert findings(cli)["beat"]["level"] == "ok"
    redis.zadd("invitations:beat::schedule", {"invitations:beat:upkeep": time.time() - 600})

    found = findings(cli, code=1)["beat"]

    assert found["found"].startswith("holds its lock and starts nothing since 60")


def test_workers_that_go_by_an_older_accounts_file_are_told(cli: CommandLine, redis: Redis) -> None:
    told: Any = {"count": "30", "period": "60000", "concurrency": "10"}
    redis.hset("invitations:gate:portal", mapping=told)
    redis.hset("invitations:gate:shop_nl", mapping={"concurrency": "10"})

    found = findings(cli)["gates"]

    assert (found["level"], found["found"]) == (
        "warning",
        "portal: the workers go by limit 30 per 60 s, 10 calls at once, the accounts file says limit 60 per 60 s,"
        " 10 calls at once",
    )
    redis.hset("invitations:gate:portal", "count", "60")
    assert "gates" not in findings(cli)


def test_a_lesson_that_broke_off_is_told_and_its_note_removed(cli: CommandLine, redis: Redis) -> None:
    send(cli, "1", "portal")
    let_a_worker_read(redis)
    redis.hset("invitations:gate:portal", "lesson_fault", "user_script:7: no number")

    found = findings(cli)["gates"]

    assert found["found"] == "portal could not learn from an answer: user_script:7: no number"
    assert cli("doctor", "--tidy", "--json").data == {"ok": True, "messages": 0, "jobs": 0, "notes": 1}
    assert "gates" not in findings(cli)


def test_what_workers_of_the_first_version_announced_is_told_and_removed(cli: CommandLine, redis: Redis) -> None:
    redis.lpush("invitations.deliver", "one", "two")
    redis.sadd("_kombu.binding.invitations.deliver", "invitations.deliver")
    redis.hset("unacked", mapping={"old": message("invitations.deliver", "invitations.deliver"), "new": message()})
    redis.zadd("unacked_index", {"old": time.time(), "new": time.time()})

    found = findings(cli)["leftovers"]

    assert found["level"] == "warning"
    assert found["found"] == "2 messages in invitations.deliver, which workers of 0.1.0 read and newer ones do not"
    assert cli("doctor", "--tidy", "--json").data == {"ok": True, "messages": 3, "jobs": 0, "notes": 0}
    assert findings(cli)["leftovers"]["level"] == "ok"
    assert not redis.exists("invitations.deliver", "_kombu.binding.invitations.deliver")
    assert (redis.hkeys("unacked"), redis.zrange("unacked_index", 0, -1)) == (["new"], ["new"])


@pytest.mark.parametrize(
    "half",
    [
        {"job": "", "forgotten_at": "1"},
        {"job": "", "state": "suppressed", "reason": "the address asked for no invitations"},
    ],
)
def test_a_job_that_an_older_version_forgot_by_half_is_told_and_removed(
    cli: CommandLine, redis: Redis, half: Any
) -> None:
    forgotten, kept = (send(cli, number, "portal") for number in ("1", "2"))
    let_a_worker_read(redis)
    assert findings(cli)["leftovers"]["level"] == "ok"
    redis.hset(f"invitations:record:{forgotten}", mapping=half)
    assert sealed_job(redis, forgotten) != ""
    before = sealed_job(redis, kept)

    found = findings(cli, code=1)["leftovers"]

    assert found["level"] == "problem"
    assert found["found"].startswith("of 2 records looked at, 1 hold the job of a customer who was forgotten or opted")
    assert cli("doctor", "--tidy").out == "removed: 0 messages of older workers, 1 jobs, 0 notes of faults\n"
    assert (sealed_job(redis, forgotten), sealed_job(redis, kept)) == ("", before)
    assert findings(cli)["leftovers"]["level"] == "ok"


def test_only_one_cure_at_a_time(cli: CommandLine) -> None:
    ended = cli("doctor", "--tidy", "--reencrypt")

    assert ended.code == 2
    assert "expected one of --online, --tidy and --reencrypt" in ended.err


@pytest.mark.parametrize("queue", ["invitaties", None])
def test_jobs_that_were_sent_to_a_queue_that_nobody_reads_are_told(
    cli: CommandLine, redis: Redis, redis_url: str, queue: str | None
) -> None:
    shop = Celery(broker=redis_url)
    shop.send_task("invitations.send", args=[{"account": "portal", "email": "canary@example.com"}], queue=queue)
    shop.send_task("shop.something_else", queue=queue)

    told = [one for one in cli("doctor", "--json").data["findings"] if one["check"] == "queue"]

    assert [one["level"] for one in told] == ["ok", "problem"]
    assert told[1]["found"].startswith(f"1 jobs in the list {queue or 'celery'}, which no worker reads")
    assert told[1]["advice"].startswith('mend the producer: queue="invitations"')


def test_what_is_no_list_or_no_job_is_no_job_that_went_astray(cli: CommandLine, redis: Redis) -> None:
    redis.sadd("_kombu.binding.shop", "shop")
    redis.set("shop", "something of another program")
    redis.lpush("celery", "no message", "{}")

    assert list(strays(redis)) == []
