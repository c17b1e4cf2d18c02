"""What one queued invitation costs in Redis: a million of them are to fit into two gigabytes."""

import json

from cryptography.fernet import Fernet
from redis import Redis

from tests.property.desk import DAY_MS, Desk, account
from worker.ledger import Entry
from worker.vault import Identity, Vault

COUNT = 2_000
JOB = json.dumps(
    {
        "account": "shop_nl",
        "email": "jane.doe.the.third@mail.example.com",
        "order": "2025-100001",
        "language": "nl",
        "customer": {"full_name": "Jane Doe", "first_name": "Jane", "last_name": "Doe"},
        "products": [{"id": "1234", "name": "Red Delicious", "gtin": "0075678164124"}],
    }
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


def test_a_queued_invitation_takes_little_more_than_a_kilobyte_beside_its_job(real_redis: Redis) -> None:
    assert bytes_each(real_redis, JOB) < len(JOB) + 1_200


def test_nor_does_an_encrypted_one_take_more(real_redis: Redis) -> None:
    sealed = Vault([Fernet.generate_key().decode()]).seal(JOB)

    assert bytes_each(real_redis, sealed) < len(sealed) + 1_200
