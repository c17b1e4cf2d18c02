"""What one queued invitation costs in Redis: a million of them are to fit into a gigabyte."""

import json

import pytest
from cryptography.fernet import Fernet
from redis import Redis

from tests.property.desk import DAY_MS, Desk, account
from tests.support import SAMPLE_JOB
from worker.entries import Entry
from worker.vault import Identity, Vault

COUNT = 2_000
ADDRESS, ORDER = "jane.doe.the.third@mail.example.com", "2025-100001"
LEFT_OUT = ("language", "client", "platform_version", "plugin_version", "invite", "idempotency_key")
# The sample job of the contract, as it is sealed, of a customer with a longer address.
JOB = json.dumps(
    {
        **{name: value for name, value in SAMPLE_JOB.items() if name not in LEFT_OUT},
        "email": ADDRESS,
        "order": ORDER,
        "products": [
            {name: value for name, value in product.items() if value is not None} for product in SAMPLE_JOB["products"]
        ],
    },
    separators=(",", ":"),
)
# What the bounds below were set for.
LENGTH = 435


def bytes_each(redis: Redis, job: str) -> float:
    """What Redis holds for each queued invitation: its record, and its share of the line and of the events."""
    line = Desk(redis, account("shop_nl"))
    ids = [f"{number:032x}" for number in range(COUNT)]
    who = Identity(b"key").who(ADDRESS)
    line.ledger.accept([Entry(one, "shop_nl", "shop_nl", ORDER, job, DAY_MS, 3 * DAY_MS, who=who) for one in ids])
    record = redis.memory_usage(f"invitations:record:{ids[0]}", samples=0)
    shared = [redis.memory_usage(f"invitations:{name}", samples=0) for name in ("line:shop_nl", "events")]
    assert record
    return float(record + sum(size or 0 for size in shared) / COUNT)


@pytest.mark.parametrize(("keys", "most"), [((), 750), ((Fernet.generate_key().decode(),), 950)])
def test_a_queued_invitation_takes_this_much_in_all(real_redis: Redis, keys: tuple[str, ...], most: int) -> None:
    assert len(JOB) == LENGTH
    assert bytes_each(real_redis, Vault(keys).seal(JOB)) < most


def test_a_record_that_waits_is_kept_in_the_compact_form(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    texts = ["x" * size for size in (0, 1, 64, 65, 128, 512)]
    ids = [str(len(text)) for text in texts]

    line.ledger.accept([Entry(one, "a", "a", "1", text, 0, DAY_MS) for one, text in zip(ids, texts, strict=True)])

    assert {real_redis.object("encoding", f"invitations:record:{one}") for one in ids} == {"listpack"}
    assert [line.record(one).job for one in ids] == texts
    assert {one: line.claim(one).job for one in line.admit()} == dict(zip(ids, texts, strict=True))


def test_a_longer_job_stands_in_one_piece(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))

    line.ledger.accept([Entry("x", "a", "a", "1", "x" * 513, 0, DAY_MS)])

    assert real_redis.hget("invitations:record:x", "job") == "x" * 513
    assert line.record("x").job == "x" * 513
