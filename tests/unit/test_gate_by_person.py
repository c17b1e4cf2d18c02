"""What a person pauses waits for a person, whatever its answers and probes come to."""

import pytest
from redis import Redis

from tasks.outcome import Accepted, CredentialsRefused, Throttled
from tests.property.desk import DAY_MS, Desk, account
from worker.ledger import PROBE_MS

SOON = 500
WHO = CredentialsRefused("401")


@pytest.mark.parametrize("by", ["an answer", "a probe"])
def test_what_a_person_paused_no_answer_resumes(real_redis: Redis, by: str) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 3)
    claim = line.claim(line.admit(1)[0])
    if by == "a probe":
        line.answer(claim, WHO, refused_after=1)
        line.later(PROBE_MS + SOON)
        claim = line.claim(line.admit()[0])

    line.ledger.pause("a", "the shop moves")
    line.answer(claim, Accepted())

    line.later(DAY_MS)
    assert line.admit() == []
    assert line.wait_ms is None
    assert line.ledger.resume("a") is True
    assert len(line.admit()) == 2


def test_a_probe_that_was_announced_is_not_made_once_a_person_paused(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 2)
    line.answer(line.claim(line.admit(1)[0]), WHO, refused_after=1)
    line.later(PROBE_MS + SOON)
    (probe,) = line.admit()

    line.ledger.pause("a", "the shop moves")

    assert line.no_claim(probe) == "shut"


def test_refused_credentials_do_not_take_over_what_a_person_paused(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 2)
    claim = line.claim(line.admit()[0])
    line.ledger.pause("a", "the shop moves")

    line.answer(claim, WHO, refused_after=1)

    line.later(DAY_MS)
    assert line.admit() == []
    assert real_redis.hget("invitations:pause:a", "reason") == "the shop moves"


def test_a_lease_that_ends_in_a_paused_account_puts_the_invitation_back(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    (lost,) = line.line_up("a", 1)
    line.claim(line.admit()[0])
    line.ledger.pause("a", "the shop moves")
    line.admit()
    assert line.wait_ms is not None

    line.later(line.wait_ms + SOON)

    assert line.admit() == []
    assert line.line("a") == [lost]
    line.ledger.resume("a")
    assert line.admit() == [lost]


def test_resuming_leaves_a_retry_after_in_force(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 2)
    line.deliver(*line.admit(1), outcome=Throttled("slow down", 60_000))
    line.ledger.pause("a", "the shop moves")

    assert line.ledger.resume("a") is True

    assert line.admit() == []
    assert 60_000 - SOON < line.shut_ms("a") <= 60_000
