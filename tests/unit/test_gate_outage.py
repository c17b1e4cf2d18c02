"""A provider that is down costs probes, and credentials that it refuses cost one now and then."""

import pytest
from redis import Redis

from tasks.decision import DOWN_AFTER, DOWN_MOST_MS, DOWN_MS, REFUSED_AFTER, REFUSED_WAIT_MS
from tasks.outcome import Accepted, CredentialsRefused, Rejected, Throttled, Unavailable, Unclear
from tests.property.desk import DAY_MS, Desk, account
from worker.ledger import PROBE_MS

SOON = 500
AWAY = Unavailable("no connection")
WHO = CredentialsRefused("401")


def is_open(line: Desk) -> bool:
    return line.shut_ms("a") <= 0


def go_down(line: Desk, count: int = 20) -> list[str]:
    """Lines `count` up and lets the outage be seen. Returns what waits behind it."""
    ids = line.line_up("a", count)
    line.deliver(*line.admit(DOWN_AFTER), outcome=AWAY)
    return ids[DOWN_AFTER:]


def test_so_many_failures_in_a_row_close_the_gate_and_fewer_do_not(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", DOWN_AFTER)
    opened = []
    for invitation in line.admit():
        line.deliver(invitation, outcome=AWAY)
        opened.append(is_open(line))

    assert opened == [True] * (DOWN_AFTER - 1) + [False]
    assert DOWN_MS - SOON < line.shut_ms("a") <= DOWN_MS
    assert line.gate("a")["closed_why"] == "unavailable: no connection"


def test_calls_that_fail_together_are_one_outage(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 2 * DOWN_AFTER)

    for claim in [line.claim(one) for one in line.admit()]:
        line.answer(claim, AWAY)

    assert DOWN_MS - SOON < line.shut_ms("a") <= DOWN_MS


@pytest.mark.parametrize("answer", [Accepted(), Rejected("never")], ids=["accepted", "rejected"])
def test_any_answer_in_between_starts_the_count_afresh(real_redis: Redis, answer: Accepted | Rejected) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 2 * DOWN_AFTER - 1)
    ids = line.admit()

    line.deliver(*ids[: DOWN_AFTER - 1], outcome=AWAY)
    line.deliver(ids[DOWN_AFTER - 1], outcome=answer)
    line.deliver(*ids[DOWN_AFTER:], outcome=Unclear("nonsense"))

    assert is_open(line)


def test_one_probe_at_a_time_tests_the_outage_and_each_that_fails_doubles_the_wait(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    go_down(line)
    waits = []
    for _ in range(8):
        waits.append(round(line.shut_ms("a") / 1000))
        assert line.admit() == []
        line.later(waits[-1] * 1000 + SOON)
        (probe,) = line.admit()
        assert line.admit() == []
        line.deliver(probe, outcome=AWAY)

    seconds = DOWN_MS // 1000
    assert waits == [min(seconds * 2**n, DOWN_MOST_MS // 1000) for n in range(8)]


def test_a_probe_burns_no_attempt(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    go_down(line)
    line.later(DOWN_MS + SOON)
    (probe,) = line.admit()

    line.deliver(probe, outcome=AWAY)

    assert line.record(probe).attempts == 0
    assert line.record("a0000").attempts == 1


def test_a_probe_that_succeeds_opens_the_gate_for_all_at_once(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", concurrency=8))
    go_down(line)
    line.later(DOWN_MS + SOON)
    (probe,) = line.admit()

    line.deliver(probe)

    assert len(line.admit()) == 8
    assert "probing" not in line.gate("a")


def test_what_passed_before_the_outage_was_seen_is_no_probe(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    ids = line.line_up("a", 10)
    assert line.admit() == ids
    line.deliver(*ids[:DOWN_AFTER], outcome=AWAY)
    line.later(DOWN_MS + SOON)

    assert [line.no_claim(one) for one in ids[DOWN_AFTER:]] == ["shut"] * (10 - DOWN_AFTER)

    (probe,) = line.admit()
    assert line.claim(probe).probe


@pytest.mark.parametrize("late", [Accepted(), Unclear("no answer in time")], ids=["accepted", "unclear"])
def test_what_passed_before_the_outage_was_seen_tells_nothing_of_its_end(
    real_redis: Redis, late: Accepted | Unclear
) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 20)
    *claims, last = [line.claim(one) for one in line.admit()]
    for claim in claims:
        line.answer(claim, AWAY)
    before = line.gate("a")
    line.later(DOWN_MS + SOON)

    line.answer(last, late)

    assert {name: line.gate("a")[name] for name in ("failures", "outages", "probing")} == {
        name: before[name] for name in ("failures", "outages", "probing")
    }
    assert is_open(line)
    assert len(line.admit()) == 1, "one probe at a time"


def test_a_probe_whose_worker_died_is_followed_by_another(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    go_down(line)
    line.later(DOWN_MS + SOON)
    (lost,) = line.admit()
    line.claim(lost)
    assert line.wait_ms is not None

    line.later(line.wait_ms + SOON)

    assert len(line.admit()) == 1


def test_the_outage_of_one_account_is_not_that_of_another(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"), account("b"))
    go_down(line)

    others = line.line_up("b", 3)

    assert line.admit() == others


def test_a_person_resumes_an_account_that_waits_for_its_provider(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", concurrency=6))
    go_down(line)

    assert line.ledger.resume("a") is True

    assert is_open(line)
    assert len(line.admit()) == 6
    assert line.ledger.resume("a") is False, "there is nothing more to resume"


def test_resuming_an_account_whose_provider_recovered_changes_nothing(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    go_down(line)
    line.later(DOWN_MS + SOON)
    line.deliver(*line.admit())

    assert line.ledger.resume("a") is False


def refuse(line: Desk, *ids: str, after: int = 1) -> None:
    """Lets the provider refuse the credentials: so many times in a row pause the account."""
    for invitation in ids:
        line.answer(line.claim(invitation), WHO, refused_after=after)


def refused(line: Desk, count: int = 5) -> list[str]:
    """Lines `count` up, of which the first finds the credentials refused. Returns all."""
    ids = line.line_up("a", count)
    refuse(line, *line.admit(1))
    line.later(REFUSED_WAIT_MS + SOON)
    return ids


def is_paused(line: Desk) -> bool:
    return line.redis.exists("invitations:pause:a") > 0


def test_so_many_refusals_in_a_row_pause_the_account_and_fewer_do_not(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", REFUSED_AFTER)
    paused = []
    for invitation in line.admit():
        line.deliver(invitation, outcome=WHO)
        paused.append(is_paused(line))

    assert paused == [False] * (REFUSED_AFTER - 1) + [True]


def test_any_other_answer_in_between_starts_the_refusals_afresh(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 2 * REFUSED_AFTER - 1)
    ids = line.admit()

    line.deliver(*ids[: REFUSED_AFTER - 1], outcome=WHO)
    line.deliver(ids[REFUSED_AFTER - 1])
    line.deliver(*ids[REFUSED_AFTER:], outcome=WHO)

    assert not is_paused(line)


def test_the_refusals_of_one_account_are_not_those_of_another(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit_group="g"), account("b", limit_group="g"))
    line.line_up("a", 1)
    line.line_up("b", 5)
    first, *others = sorted(line.admit())

    line.deliver(*others[: REFUSED_AFTER - 1], outcome=WHO)
    line.deliver(first, outcome=WHO)

    assert not is_paused(line)
    assert real_redis.exists("invitations:pause:b") == 0


def test_who_is_refused_lets_others_go_first(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    ids = line.line_up("a", 2)
    line.deliver(*line.admit(1), outcome=WHO)

    assert line.admit() == ids[1:]
    line.later(REFUSED_WAIT_MS + SOON)
    assert line.admit() == ids[:1]


def test_refused_credentials_pause_the_account_and_burn_nothing(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit_group="g"), account("b", limit_group="g"))
    ids = refused(line)

    others = line.line_up("b", 3)

    assert line.admit() == others, "those that share its gate go on"
    assert line.admit() == []
    assert [line.record(one).attempts for one in ids] == [0] * 5
    assert [line.record(one).state for one in ids] == ["queued"] * 5


def test_calls_that_were_announced_before_the_pause_go_back_in_line(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    ids = line.line_up("a", 4)
    line.admit()
    refuse(line, ids[0])

    assert [line.no_claim(one) for one in ids[1:]] == ["shut"] * 3
    assert line.line("a") == [*ids[1:], ids[0]], "who was refused waits a moment"


def test_one_probe_now_and_then_asks_whether_the_credentials_are_right_again(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    refused(line)
    for _ in range(3):
        assert line.admit() == []
        assert line.wait_ms is not None
        assert PROBE_MS - REFUSED_WAIT_MS - 2 * SOON < line.wait_ms <= PROBE_MS
        line.later(line.wait_ms + SOON)
        (probe,) = line.admit()
        assert line.admit() == []
        line.deliver(probe, outcome=WHO)
        line.later(REFUSED_WAIT_MS + SOON)

    assert line.ledger.redis.hget("invitations:pause:a", "reason") == "401"


def test_a_probe_that_succeeds_resumes_the_account(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    refused(line)
    line.later(PROBE_MS + SOON)

    line.deliver(*line.admit())

    assert len(line.admit()) == 4
    assert not is_paused(line)


def test_every_paused_account_of_a_gate_has_a_probe_of_its_own(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit_group="g"), account("b", limit_group="g"))
    line.line_up("a", 3)
    line.line_up("b", 3)
    refuse(line, *line.admit(2))
    line.later(PROBE_MS + SOON)

    probes = line.admit()
    line.deliver(next(one for one in probes if one.startswith("a")))

    assert sorted(one[0] for one in probes) == ["a", "b"]
    assert {one[0] for one in line.admit()} == {"a"}, "the other account is still refused"


def test_a_probe_that_is_not_made_is_another_s_at_once(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    refused(line, 1)
    old = line.line_up("a", 3, expires_ms=DAY_MS)
    new = line.line_up("a", 1, delay_ms=DAY_MS)
    line.ledger.cancel("a0000", "not needed")
    line.later(DAY_MS + SOON)

    for one in old:
        assert line.admit() == [one]
        assert line.no_claim(one) == "expired"

    assert line.admit() == new
    line.deliver(*new)
    assert not is_paused(line)


def test_a_gate_that_closes_before_the_probe_is_made_does_not_use_it_up(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit_group="g"), account("b", limit_group="g"))
    refused(line)
    line.later(PROBE_MS + SOON)
    line.line_up("b", 1)
    probe, other = sorted(line.admit())
    line.deliver(other, outcome=Throttled("slow down", 5_000))
    assert line.no_claim(probe) == "shut"

    line.later(5_000 + SOON)

    assert probe in line.admit()


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
    refused(line)
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
