"""Everything that is sealed in Redis is sealed anew with the newest key, beside workers that go on."""

import fakeredis
import pytest
from cryptography.fernet import Fernet
from redis import Redis

from tests.support import sealed_job
from worker.reencrypt import BATCH, Sealing, reencrypt, survey
from worker.vault import ID_KEY, Identity, Vault

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))
BOTH = Vault([NEW, OLD])
COUNT = BATCH + 100


@pytest.fixture
def redis() -> Redis:
    """Records of several keys and of none, and keys of Redis that are no records."""
    made = fakeredis.FakeRedis(decode_responses=True)
    Identity.of(made, Vault([OLD]))
    for number in range(COUNT):
        vault = (Vault(), Vault([OLD]), BOTH)[number % 3]
        write(made, number, vault)
    made.hset("invitations:record:without", "state", "cancelled")
    made.hset("invitations:gate:portal", "job", "none")
    made.set("celery-task-meta-1", "plain")
    return made


def write(redis: Redis, number: int, vault: Vault) -> None:
    redis.hset(f"invitations:record:{number}", mapping={"state": "queued", "job": vault.seal(f"job {number}")})


def jobs(redis: Redis, vault: Vault) -> list[str]:
    return [vault.open(sealed_job(redis, str(number))) for number in range(COUNT)]


def test_the_newest_key_alone_reads_everything_afterwards(redis: Redis) -> None:
    key = BOTH.open(str(redis.get(ID_KEY)))

    assert reencrypt(redis, BOTH) == Sealing(texts=COUNT + 1, older=COUNT * 2 // 3 + 1)

    assert jobs(redis, Vault([NEW])) == [f"job {number}" for number in range(COUNT)]
    assert Vault([NEW]).open(str(redis.get(ID_KEY))) == key
    assert redis.hgetall("invitations:record:without") == {"state": "cancelled"}
    assert redis.hgetall("invitations:record:1")["state"] == "queued"
    assert (redis.hget("invitations:gate:portal", "job"), redis.get("celery-task-meta-1")) == ("none", "plain")


def test_a_second_time_there_is_nothing_left_to_do(redis: Redis) -> None:
    reencrypt(redis, BOTH)
    before = [sealed_job(redis, str(number)) for number in range(COUNT)]

    assert reencrypt(redis, BOTH) == Sealing(texts=COUNT + 1)

    assert [sealed_job(redis, str(number)) for number in range(COUNT)] == before


def test_what_no_key_opens_stays_as_it_is_and_is_counted(redis: Redis) -> None:
    write(redis, 0, Vault([LOST]))
    write(redis, 1, Vault([LOST]))
    before = sealed_job(redis, "0")

    seen = reencrypt(redis, BOTH)

    assert (seen.texts, seen.unreadable) == (COUNT + 1, 2)
    assert sealed_job(redis, "0") == before
    assert survey(redis, BOTH, COUNT * 2) == Sealing(texts=COUNT + 1, unreadable=2)


def test_its_progress_is_told_by_the_keys_of_redis(redis: Redis) -> None:
    told: list[int] = []

    reencrypt(redis, BOTH, told.append)

    assert sum(told) == redis.dbsize()
    assert max(told) <= BATCH


def test_a_survey_changes_nothing_and_stops_where_it_saw_enough(redis: Redis) -> None:
    before = jobs(redis, BOTH)

    seen = survey(redis, BOTH, 100)

    assert 100 < seen.texts <= 100 + BATCH
    assert 0 < seen.older < seen.texts
    assert survey(redis, BOTH, COUNT * 2) == Sealing(texts=COUNT + 1, older=COUNT * 2 // 3 + 1)
    assert jobs(redis, BOTH) == before


def test_in_an_empty_redis_there_is_nothing_to_do() -> None:
    assert reencrypt(fakeredis.FakeRedis(decode_responses=True), BOTH) == Sealing()


def test_what_a_worker_changed_in_between_is_not_written_over(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker of before writes one, another erases one, between the read and the write."""
    seal = Vault.seal
    meddled: list[str] = []

    def meddle(vault: Vault, text: str) -> str:
        if not meddled:
            meddled.append(text)
            redis.hset("invitations:record:1", "job", seal(Vault([OLD]), "changed"))
            redis.delete("invitations:record:4")
        return seal(vault, text)

    monkeypatch.setattr(Vault, "seal", meddle)

    seen = reencrypt(redis, BOTH)

    assert seen.unreadable == 0
    assert Vault([NEW]).open(sealed_job(redis, "1")) == "changed"
    assert not redis.exists("invitations:record:4")
