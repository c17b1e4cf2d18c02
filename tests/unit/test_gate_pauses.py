"""Credentials that the provider refuses pause the account, and a probe now and then asks whether they are right."""

from redis import Redis

from tasks.decision import REFUSED_AFTER, REFUSED_WAIT_MS
from tasks.outcome import CredentialsRefused, Throttled
from tests.property.desk import DAY_MS, Desk, account
from worker.ledger import PROBE_MS

SOON = 500
WHO = CredentialsRefused("401")


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
