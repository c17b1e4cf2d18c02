"""What one queued invitation costs in Redis: a million of them are to fit into a gigabyte."""

import json

import pytest
from cryptography.fernet import Fernet
from redis import Redis

from tests.property.desk import DAY_MS, Desk, account
from worker.entries import Entry
from worker.vault import Identity, Vault

COUNT = 2_000
# The sample job of the contract, as it is sealed, of a customer with a longer address.
JOB = json.dumps(
    {
        "account": "shop_nl",
        "email": "jane.doe.the.third@mail.example.com",
        "order": "2025-100001",
        "customer": {
            "full_name": "Jane Doe",
            "first_name": "Jane",
            "last_name": "Doe",
            "phone_numbers": ["+31612345678"],
        },
        "order_total": "1500.99",
        "products": [
            {
                "id": "1234",
                "name": "Red Delicious",
                "url": "https://shop.example/p/1",
                "sku": "rd001",
                "gtin": "0075678164124",
            }
        ],
        "delay": {"amount": 5, "unit": "days"},
        "reminder": {"amount": 12, "unit": "days"},
        "filtercode": "north",
    },
    separators=(",", ":"),
)


def bytes_each(redis: Redis, job: str) -> float:
    """What Redis holds for each queued invitation: its record, and its share of the line and of the events."""
    line = Desk(redis, account("shop_nl"))
    ids = [f"{number:032x}" for number in range(COUNT)]
    who = Identity(b"key").who("jane.doe.the.third@mail.example.com")
    line.ledger.accept(
        [Entry(one, "shop_nl", "shop_nl", "2025-100001", job, DAY_MS, 3 * DAY_MS, who=who) for one in ids]
    )
    record = redis.memory_usage(f"invitations:record:{ids[0]}", samples=0)
    shared = [redis.memory_usage(f"invitations:{name}", samples=0) for name in ("line:shop_nl", "events")]
    assert record
    return float(record + sum(size or 0 for size in shared) / COUNT)


@pytest.mark.parametrize(("keys", "most"), [((), 750), ((Fernet.generate_key().decode(),), 950)])
def test_a_queued_invitation_takes_this_much_in_all(real_redis: Redis, keys: tuple[str, ...], most: int) -> None:
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
