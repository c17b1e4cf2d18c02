"""Who is next: accounts of one gate in turns, gates in turns, and never more calls at once than allowed."""

from collections import Counter

import pytest
from redis import Redis

from tasks.decision import gate_lesson
from tasks.outcome import Throttled
from tests.property.desk import LEASE_MS, MANY, Desk, account
from worker.ledger import QUANTUM

SOON = 500


def group(count: int, **fields: object) -> list[str]:
    return [f"account{number}" for number in range(count)]


def shared(redis: Redis, names: list[str], **fields: object) -> Desk:
    return Desk(redis, *(account(name, limit_group="g", **{"concurrency": MANY, **fields}) for name in names))


def owner(invitation: str) -> str:
    return invitation[:-4]


@pytest.mark.parametrize("room", [1, 2, 3, 5, 7, 40])
def test_accounts_of_one_gate_are_served_in_turns(real_redis: Redis, room: int) -> None:
    names = group(4)
    line = shared(real_redis, names)
    for name in names:
        line.line_up(name, 12)
    served = Counter(dict.fromkeys(names, 0))

    while admitted := line.admit(room):
        for invitation in admitted:
            served[owner(invitation)] += 1
        line.deliver(*admitted)
        assert max(served.values()) - min(served.values()) <= 1

    assert set(served.values()) == {12}


def test_a_tight_limit_is_shared_in_turns(real_redis: Redis) -> None:
    names = group(3)
    line = shared(real_redis, names, limit="2/minute")
    for name in names:
        line.line_up(name, 4)
    served = Counter(dict.fromkeys(names, 0))

    while sum(served.values()) < 12:
        admitted = line.admit()
        line.deliver(*admitted)
        served.update(owner(one) for one in admitted)
        assert max(served.values()) - min(served.values()) <= 1
        line.later(line.wait_ms or 0)


def test_who_comes_late_waits_for_no_backlog(real_redis: Redis) -> None:
    line = shared(real_redis, ["big", "small"], limit="4/minute")
    line.line_up("big", 100)
    line.deliver(*line.admit())
    small = line.line_up("small", 2)

    line.later(60_000 + SOON)

    assert [one for one in line.admit() if owner(one) == "small"] == small


def test_who_comes_back_has_saved_up_no_turns(real_redis: Redis) -> None:
    line = shared(real_redis, ["busy", "idle"])
    line.line_up("busy", 40)
    line.deliver(*line.admit(20))
    line.line_up("idle", 10)

    admitted = [owner(one) for one in line.admit(10)]

    assert Counter(admitted) == {"busy": 5, "idle": 5}


def test_who_comes_back_again_and_again_is_not_always_first(real_redis: Redis) -> None:
    line = shared(real_redis, ["backlog", "drip"])
    line.line_up("backlog", 40)
    line.deliver(*line.admit(10))
    served: Counter[str] = Counter()

    for _ in range(10):
        line.line_up("drip", 1)
        admitted = line.admit(1)
        line.deliver(*admitted)
        served.update(owner(one) for one in admitted)

    assert served == {"backlog": 5, "drip": 5}


def test_a_paused_account_takes_no_share_of_the_gate(real_redis: Redis) -> None:
    names = group(3)
    line = shared(real_redis, names, limit="6/minute")
    for name in names:
        line.line_up(name, 10)
    line.ledger.pause(names[0], "the shop moves")

    served = Counter(owner(one) for one in line.admit())

    assert served == {names[1]: 3, names[2]: 3}


def test_what_is_not_due_takes_no_share_of_the_gate(real_redis: Redis) -> None:
    line = shared(real_redis, ["now", "then"], limit="6/minute")
    line.line_up("then", 10, delay_ms=30_000)
    due = line.line_up("now", 10)

    assert line.admit() == due[:6]


@pytest.mark.parametrize("gates", [2, 3, 5])
@pytest.mark.parametrize("room", [1, 3, 5, 10, 25])
def test_gates_are_served_in_turns_when_the_queue_is_short(real_redis: Redis, room: int, gates: int) -> None:
    names = group(gates)
    line = Desk(real_redis, *(account(name, concurrency=MANY) for name in names))
    for name in names:
        line.line_up(name, 100)
    served = Counter(dict.fromkeys(names, 0))

    for _ in range(100 // room):
        # Two looks within one millisecond may meet the same gate.
        line.later(1)
        served.update(owner(one) for one in line.admit(room))

    assert max(served.values()) - min(served.values()) <= min(room, QUANTUM)


def test_a_fresh_invitation_of_another_gate_waits_for_one_share_of_each_at_most(real_redis: Redis) -> None:
    names = group(3)
    line = Desk(real_redis, *(account(name, concurrency=MANY) for name in [*names, "fresh"]))
    for name in names:
        line.line_up(name, 500)
    line.admit(20)
    fresh = line.line_up("fresh", 1)

    line.later(1)
    admitted = [one for _ in range(4) for one in line.admit(10)]

    assert fresh[0] in admitted


@pytest.mark.parametrize("concurrency", [1, 2, 7])
def test_no_more_calls_run_at_once_than_allowed(real_redis: Redis, concurrency: int) -> None:
    line = Desk(real_redis, account("a", concurrency=concurrency))
    ids = line.line_up("a", 20)

    assert line.admit() == ids[:concurrency]
    assert line.admit() == []
    line.deliver(ids[0])
    assert line.admit() == ids[concurrency : concurrency + 1]


def test_accounts_that_share_a_gate_share_its_calls_at_once(real_redis: Redis) -> None:
    line = shared(real_redis, ["a", "b"], concurrency=3)
    line.line_up("a", 5)
    line.line_up("b", 5)

    assert len(line.admit()) == 3
    assert line.admit() == []


def test_calls_at_once_that_were_lowered_wait_until_fewer_run(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", concurrency=4))
    ids = line.line_up("a", 9)
    claims = [line.claim(one) for one in line.admit()]
    line.configure(account("a", concurrency=2))

    passed = []
    for claim in claims[:3]:
        line.ledger.settle(claim.id, claim.token, {"state": "accepted", "reason": ""})
        passed.append(line.admit())

    assert passed == [[], [], ids[4:5]]


def test_calls_at_once_that_were_raised_pass_at_once(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", concurrency=1))
    ids = line.line_up("a", 5)
    line.admit()
    assert line.admit() == []

    line.configure(account("a", concurrency=3))

    assert line.admit() == ids[1:3]


def test_a_lease_that_ended_frees_its_place(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", concurrency=1))
    lost, other = line.line_up("a", 2)
    line.claim(line.admit()[0])
    assert line.admit() == []
    assert line.wait_ms is not None
    assert LEASE_MS - SOON < line.wait_ms <= LEASE_MS

    line.later(LEASE_MS)

    assert line.admit() == [lost], "it was due first"
    record = line.record(lost)
    assert (record.state, record.attempts) == ("queued", 1)
    assert record.reason == "the lease ended before an answer came"
    assert line.claim(lost).unclear is True
    assert line.line("a") == [other]


def test_an_announcement_that_was_lost_is_no_attempt(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    (lost,) = line.line_up("a", 1)
    line.admit()

    line.later(LEASE_MS)

    assert line.admit() == [lost]
    claim = line.claim(lost)
    assert (claim.attempts, claim.unclear) == (0, False)


def test_more_leases_than_one_look_ends_all_come_back(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", concurrency=250))
    ids = line.line_up("a", 250)
    assert line.admit() == ids
    line.later(LEASE_MS + SOON)

    seen: set[str] = set()
    for _ in range(5):
        seen |= set(line.admit())
        line.later(1)

    assert seen == set(ids)


def test_a_gate_whose_calls_are_all_gone_is_full_no_longer(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", concurrency=1))
    ids = line.line_up("a", 2)
    line.claim(line.admit()[0])
    assert line.admit() == []
    line.ledger.tell("a", "a", gate_lesson(Throttled("slow down", 2 * LEASE_MS), 0))
    line.later(LEASE_MS)
    assert line.admit() == [], "its lease ended, and the gate is closed"
    for one in ids:
        line.ledger.cancel(one, "a person said so")
    line.later(LEASE_MS)
    assert line.admit() == []

    fresh = line.line_up("a", 1)

    assert line.admit() == fresh


def test_a_gate_that_nobody_configured_lets_nothing_pass_until_somebody_does(real_redis: Redis) -> None:
    line = Desk(real_redis)
    ids = line.line_up("new", 2)
    assert line.admit() == []
    assert line.wait_ms is None

    line.configure(account("new"))

    assert line.admit() == ids


def test_a_gate_that_was_looked_at_before_it_was_configured_wakes_for_what_comes_after(
    real_redis: Redis,
) -> None:
    line = Desk(real_redis)
    (gone,) = line.line_up("new", 1)
    assert line.admit() == []
    line.ledger.cancel(gone, "a person said so")
    line.configure(account("new"))

    ids = line.line_up("new", 1)

    assert line.admit() == ids


def test_an_account_that_moves_takes_its_line_along(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit="1/hour"), account("b", limit_group="g", limit="3/hour"))
    ids = line.line_up("a", 3)
    line.deliver(*line.admit())
    assert line.admit() == []

    line.configure(*(account(name, limit_group="g", limit="3/hour") for name in ("a", "b")))

    assert line.admit() == ids[1:]


def test_what_was_announced_before_its_account_moved_passes_the_new_gate(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    (one,) = line.line_up("a", 1)
    line.admit()
    line.configure(account("a", limit_group="g", limit="1/hour"))

    assert line.no_claim(one) == "shut"

    assert line.admit() == [one]
    line.deliver(one)
    assert len(real_redis.zrange("invitations:passed:group.g", 0, -1)) == 1


def test_the_place_of_an_account_that_moved_away_is_free(real_redis: Redis) -> None:
    line = shared(real_redis, ["a", "b"], concurrency=1)
    line.line_up("a", 1)
    line.claim(line.admit()[0])
    ids = line.line_up("b", 1)
    assert line.admit() == []

    line.configure(account("a"))

    assert line.admit() == ids


def test_the_call_of_an_account_that_moved_in_frees_its_place_when_it_ends(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"), account("b", limit_group="g", concurrency=1))
    line.line_up("a", 1)
    claim = line.claim(line.admit()[0])
    line.configure(account("a", limit_group="g", concurrency=1), account("b", limit_group="g", concurrency=1))
    ids = line.line_up("b", 1)
    assert line.admit() == []

    line.ledger.settle(claim.id, claim.token, {"state": "accepted", "reason": ""})

    assert line.admit() == ids


def test_the_answer_to_a_call_of_an_account_that_moved_is_for_its_new_gate(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"), account("b", limit_group="g"))
    line.line_up("a", 1)
    claim = line.claim(*line.admit())
    line.configure(account("a", limit_group="g"), account("b", limit_group="g"))
    line.line_up("b", 1)

    line.answer(claim, Throttled("slow down", 2 * LEASE_MS))

    assert line.admit() == []
    assert LEASE_MS < line.shut_ms("group.g") <= 2 * LEASE_MS


def test_the_lease_of_an_account_that_moved_ends_in_time(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a"))
    line.line_up("a", 1)
    lost = line.claim(*line.admit())
    line.configure(account("a", limit_group="g"))
    admitted, waited = line.admit(), 0

    # The gate that it left was told of a lease from its admission, some milliseconds before its claim.
    while not admitted and waited <= LEASE_MS:
        assert line.wait_ms is not None
        waited += line.wait_ms
        line.later(line.wait_ms)
        admitted = line.admit()

    assert admitted == [lost.id]
    assert waited <= LEASE_MS


def test_who_is_no_longer_configured_goes_on_at_the_gate_where_it_stands(real_redis: Redis) -> None:
    line = shared(real_redis, ["a", "b"], concurrency=1)
    line.line_up("a", 1)
    line.claim(*line.admit())
    ids = line.line_up("b", 1)
    assert line.admit() == []

    line.configure(account("a", limit_group="g", concurrency=2))

    assert line.admit() == ids
