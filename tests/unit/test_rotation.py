"""Processes with different encryption keys side by side, as in the middle of a roll-out: what each of them can do."""

from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

import fakeredis
import pytest
from cryptography.fernet import Fernet

from config.accounts_file import load_accounts
from config.errors import ConfigurationError
from config.settings import PLAIN, load_settings
from tasks.acceptance import Acceptance
from tests.support import sealed_job
from worker.entries import Receipt
from worker.ledger import Ledger
from worker.reencrypt import Sealing, reencrypt
from worker.vault import PRINT_KEY, Identity, Vault

ACCOUNTS = '[accounts.portal]\nprovider = "wemasy"\ntoken = "t"\n'
OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
KEYS = {"none": [], "old": [OLD], "new+old": [NEW, OLD], "old+new": [OLD, NEW], "new": [NEW], "plain+old": [PLAIN, OLD]}


class Fleet:
    """Processes over one Redis, each with keys of its own, named as in KEYS."""

    def __init__(self, folder: Path) -> None:
        file = folder / "accounts.toml"
        file.write_text(ACCOUNTS)
        self._accounts = load_accounts(load_settings(accounts_file=file))
        self._orders = count()
        self.redis = fakeredis.FakeRedis(decode_responses=True)

    def start(self, keys: str) -> Acceptance:
        """Raises ConfigurationError where the process would end."""
        vault = Vault(KEYS[keys])
        return Acceptance(Ledger(self.redis), vault, Identity.of(self.redis, vault), self._accounts)

    def that_start(self, *keys: str) -> list[str]:
        """Which of these processes start now."""
        return [one for one in keys if self._works(partial(self.start, one))]

    def that_read(self, receipt: Receipt, *keys: str) -> list[str]:
        """Which of these processes can read what was accepted."""
        sealed = sealed_job(self.redis, receipt.id)
        return [one for one in keys if self._works(partial(Vault(KEYS[one]).open, sealed))]

    def reencrypt(self, keys: str) -> Sealing:
        return reencrypt(self.redis, Vault(KEYS[keys]))

    def accept(self, *processes: Acceptance) -> Receipt:
        """One new job, enqueued by each of them in turn: the first creates it and the others know it."""
        job = {"account": "portal", "email": "jane@example.com", "order": str(next(self._orders))}
        receipts = [process.accept([job])[0].receipt for process in processes]
        assert [receipt.created for receipt in receipts] == [True] + [False] * (len(processes) - 1)
        assert len({receipt.id for receipt in receipts}) == 1
        return receipts[0]

    def _works(self, what: Callable[[], object]) -> bool:
        try:
            what()
        except ConfigurationError:
            return False
        return True


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path)


def test_keys_rotate_in_three_steps(fleet: Fleet) -> None:
    names = ("old", "new+old", "old+new", "new")
    old = fleet.start("old")
    before = fleet.accept(old)

    assert fleet.that_start(*names) == ["old", "new+old", "old+new"], "new alone lacks a key that is still needed"
    running = [old, fleet.start("new+old"), fleet.start("old+new")]
    first, second, third = (fleet.accept(*running[turn:], *running[:turn]) for turn in range(3))
    assert fleet.that_read(before, *names) == ["old", "new+old", "old+new"]
    assert fleet.that_read(first, *names) == ["old", "new+old", "old+new"]
    assert fleet.that_read(second, *names) == ["new+old", "old+new", "new"]
    assert fleet.that_read(third, *names) == ["old", "new+old", "old+new"]

    assert fleet.reencrypt("new+old") == Sealing(texts=5, older=4)

    assert fleet.that_start(*names) == ["new+old", "old+new", "new"]
    assert fleet.that_read(before, *names) == ["new+old", "old+new", "new"]
    fleet.accept(*running)
    assert fleet.reencrypt("new+old") == Sealing(texts=6, older=1)
    fleet.accept(fleet.start("new"), *running)
    assert fleet.reencrypt("new") == Sealing(texts=7)


def test_encryption_is_turned_on_in_the_same_steps(fleet: Fleet) -> None:
    plain = fleet.start("none")
    before = fleet.accept(plain)

    assert fleet.that_start("none", "new") == ["none", "new"]
    new = fleet.start("new")
    between = fleet.accept(new, plain)
    assert fleet.that_read(before, "none", "new") == ["none", "new"]
    assert fleet.that_read(between, "none", "new") == ["new"]

    assert fleet.reencrypt("new") == Sealing(texts=3, older=2)

    assert fleet.that_start("none", "new") == ["new"]
    assert fleet.that_read(before, "none", "new") == ["new"]
    fleet.accept(plain, new, fleet.start("new"))


def test_encryption_is_turned_off_in_the_same_steps(fleet: Fleet) -> None:
    names = ("old", "plain+old", "none")
    old = fleet.start("old")
    before = fleet.accept(old)

    assert fleet.that_start(*names) == ["old", "plain+old"]
    between = fleet.accept(fleet.start("plain+old"), old)
    assert fleet.that_read(before, *names) == ["old", "plain+old"]
    assert fleet.that_read(between, *names) == list(names)

    assert fleet.reencrypt("plain+old") == Sealing(texts=3, older=2)

    assert fleet.that_start(*names) == list(names)
    assert fleet.that_read(before, *names) == list(names)
    fleet.accept(old, fleet.start("none"))


def test_a_redis_that_lost_its_data_is_noticed_whatever_the_keys(fleet: Fleet) -> None:
    old, both = fleet.start("old"), fleet.start("new+old")
    fleet.accept(old, both)

    fleet.redis.flushall()
    anew = fleet.start("new+old")

    fleet.accept(both, anew)
    with pytest.raises(ConfigurationError, match="INVITATIONS_ENCRYPTION_KEYS"):
        fleet.accept(old)


def test_a_deployment_of_before_the_fingerprint_gets_one_and_goes_on(fleet: Fleet) -> None:
    running = fleet.start("old")
    fleet.redis.delete(PRINT_KEY)

    fleet.accept(running, fleet.start("new+old"))
