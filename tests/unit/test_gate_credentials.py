"""Refused credentials: a few in a row pause the account, one alone is about its invitation."""

from typing import Any

from redis import Redis

from tasks.decision import REFUSED_AFTER, REFUSED_WAIT_MS
from tasks.outcome import CredentialsRefused
from tests.property.desk import Desk, account
from worker.ledger import PROBE_MS

REFUSED = CredentialsRefused("401: check the credentials")
AS_DECIDED: dict[str, Any] = {"refused_after": REFUSED_AFTER, "wait_ms": REFUSED_WAIT_MS}
SOON = 100


def refuse(line: Desk, invitation: str) -> None:
    line.answer(line.claim(invitation), REFUSED, **AS_DECIDED)


def test_a_few_refusals_in_a_row_pause_the_account_and_burn_nothing(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    ids = line.line_up("a", 5)

    for invitation in line.admit()[:REFUSED_AFTER]:
        refuse(line, invitation)

    assert line.redis.hget("invitations:pause:a", "reason") == REFUSED.reason
    line.later(REFUSED_WAIT_MS + SOON)
    assert line.admit() == []
    assert [line.record(one).attempts for one in ids] == [0] * 5


def test_one_invitation_that_is_refused_alone_stops_no_other_and_fails_in_the_end(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    [poison] = line.line_up("a", 1)
    delivered = 0
    for _ in range(40):
        line.line_up("a", 1)
        for invitation in line.admit():
            if invitation == poison:
                refuse(line, poison)
            else:
                line.deliver(invitation)
                delivered += 1
        line.later(REFUSED_WAIT_MS + SOON)

    assert delivered == 40
    assert line.record(poison).state == "failed"
    assert line.record(poison).attempts == 10


def test_a_probe_is_another_than_the_one_that_was_refused(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    poison, good = line.line_up("a", 2)
    line.admit()
    for _ in range(REFUSED_AFTER - 1):
        refuse(line, poison)
        line.later(REFUSED_WAIT_MS + SOON)
        assert line.admit() == [poison]
    refuse(line, poison)
    assert line.no_claim(good) == "shut"
    assert line.admit() == []

    line.later(PROBE_MS + SOON)
    [probe] = line.admit()
    line.deliver(probe)

    assert probe == good
    assert line.redis.exists("invitations:pause:a") == 0


def test_one_that_was_refused_alone_starts_afresh_when_it_is_replayed(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    [poison] = line.line_up("a", 1)
    while line.record(poison).state != "failed":
        refuse(line, *line.admit())
        line.line_up("a", 1)
        line.deliver(*line.admit())
        line.later(REFUSED_WAIT_MS + SOON)

    line.ledger.replay(poison)
    refuse(line, *line.admit())

    assert line.record(poison).attempts == 0
