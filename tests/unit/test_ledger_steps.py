"""The steps of an invitation in the ledger, one at a time."""

import json
from dataclasses import replace
from typing import cast

import pytest
from redis import Redis

from tasks.decision import History, Policy, next_step
from tasks.outcome import Accepted, Duplicate, Outcome, Rejected, Suppressed, Throttled, Unavailable, Unclear
from tests.property.desk import DAY_MS, LEASE_MS, Desk, account
from worker.claims import Claim, NoClaim
from worker.entries import Entry, RefusedEntry

SOON = 1_000
MINUTE = 60_000


@pytest.fixture
def line(real_redis: Redis) -> Desk:
    return Desk(real_redis, account("a"), account("b"))


def keys_of(redis: Redis, pattern: str) -> list[str]:
    return cast(list[str], redis.keys(pattern))


def shelves(redis: Redis, name: str) -> dict[str, list[str]]:
    keys = sorted(keys_of(redis, f"invitations:state:{name}:*"))
    return {key.split(":")[-1]: cast(list[str], redis.zrange(key, 0, -1)) for key in keys}


def events(redis: Redis, invitation: str) -> list[tuple[str, str]]:
    found = cast(list[tuple[str, dict[str, str]]], redis.xrange("invitations:events"))
    return [(event["state"], event["reason"]) for _, event in found if event["id"] == invitation]


def test_the_first_job_creates_the_invitation_and_the_second_changes_nothing(line: Desk) -> None:
    first = Entry("x", "a", "a", "1001", "job", 5_000, DAY_MS)
    second = Entry("x", "a", "a", "1002", "other job", 0, 1)

    receipts = line.ledger.accept([first, second, first])

    assert [(receipt.id, receipt.state, receipt.created) for receipt in receipts] == [
        ("x", "queued", True),
        ("x", "queued", False),
        ("x", "queued", False),
    ]
    record = line.record("x")
    assert (record.order, record.job) == ("1001", "job")
    assert record.due_at == record.created_at + 5_000
    assert line.line("a") == ["x"]
    assert events(line.redis, "x") == [("queued", "")]


def test_a_hundred_are_accepted_in_one_step(line: Desk, real_redis: Redis) -> None:
    line.line_up("a", 1)
    real_redis.config_resetstat()

    line.line_up("a", 250)

    assert real_redis.info("commandstats")["cmdstat_evalsha"]["calls"] == 3
    assert len(line.line("a")) == 251


def test_what_is_long_is_accepted_in_smaller_steps(line: Desk, real_redis: Redis) -> None:
    entries = [Entry(f"x{place}", "a", "a", "", "x" * 60_000, 0, DAY_MS) for place in range(10)]
    line.ledger.accept(entries[:1])
    real_redis.config_resetstat()

    receipts = line.ledger.accept(entries)

    assert real_redis.info("commandstats")["cmdstat_evalsha"]["calls"] == 3
    assert [receipt.created for receipt in receipts] == [False] + [True] * 9


def test_a_job_that_is_known_answers_with_the_state_it_came_to(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    line.deliver(*line.admit(), outcome=Rejected("never"))

    (receipt,) = line.ledger.accept([Entry(one, "a", "a", "", "job")])

    assert (receipt.state, receipt.created) == ("rejected", False)
    assert line.line("a") == []


def test_a_refused_job_is_kept_once_with_its_faults(line: Desk) -> None:
    faults = json.dumps([{"field": "email", "problem": "is missing"}])
    entry = RefusedEntry("r", "-", "raw", faults, "email: is missing")

    receipts = line.ledger.accept([entry, entry])

    assert [(receipt.state, receipt.created) for receipt in receipts] == [("refused", True), ("refused", False)]
    assert line.record("r").faults == ({"field": "email", "problem": "is missing"},)
    assert shelves(line.redis, "-") == {"refused": ["r"]}
    assert line.admit() == []


def test_a_delay_is_waited_out(line: Desk) -> None:
    (one,) = line.line_up("a", 1, delay_ms=3 * DAY_MS)
    assert line.admit() == []
    assert line.wait_ms is not None
    assert 3 * DAY_MS - SOON < line.wait_ms <= 3 * DAY_MS

    line.later(3 * DAY_MS)

    assert line.admit() == [one]


def test_what_is_due_first_passes_first(line: Desk) -> None:
    late = line.line_up("a", 1, delay_ms=2_000)
    soon = line.line_up("a", 1, delay_ms=1_000)
    line.later(3_000)

    assert line.admit() == [*soon, *late]


@pytest.mark.parametrize(
    ("outcome", "state", "attempts"),
    [
        (Accepted("ref"), "accepted", 0),
        (Duplicate("known"), "duplicate", 0),
        (Rejected("never"), "rejected", 0),
        (Suppressed("no consent"), "suppressed", 0),
        (Throttled("slow down", 1_000), "queued", 0),
        (Unavailable("away"), "queued", 1),
        (Unclear("no answer"), "queued", 1),
    ],
)
def test_a_call_leads_to_one_state(line: Desk, outcome: Outcome, state: str, attempts: int) -> None:
    (one,) = line.line_up("a", 1)
    claim = line.claim(line.admit()[0])

    assert line.answer(claim, outcome) == state

    record = line.record(one)
    assert (record.state, record.attempts) == (state, attempts)
    assert shelves(line.redis, "a") == ({} if state == "queued" else {state: [one]})
    assert [change.state for change in record.history] == ["queued", "delivering", state]
    assert [state for state, _ in events(line.redis, one)] == ["queued", "delivering", state]


def test_a_failure_waits_longer_each_time(line: Desk) -> None:
    line.line_up("a", 1)
    waits = []
    for _ in range(4):
        line.deliver(*line.admit(), outcome=Unavailable("away"))
        due_at = line.record("a0000").due_at
        assert due_at is not None
        waits.append(round((due_at - line.ledger.now()) / 1000))
        line.later(waits[-1] * 1000 + SOON)

    assert waits == [10, 20, 40, 80]


def test_nobody_claims_what_was_not_announced_or_is_taken(line: Desk) -> None:
    one, other = line.line_up("a", 2)
    assert line.admit(1) == [one]

    line.claim(one)

    assert line.no_claim(one) == "stale"
    assert line.no_claim(other) == "stale"
    assert line.no_claim("nobody knows it") == "stale"


def test_a_message_from_before_the_lease_ended_is_as_good_as_the_new_one(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    line.admit()
    line.later(LEASE_MS)
    assert line.admit() == [one]

    line.claim(one)

    assert line.no_claim(one) == "stale"


def test_a_claim_whose_answer_was_lost_is_answered_again(line: Desk) -> None:
    line.line_up("a", 1)
    (one,) = line.admit()
    first = line.ledger.claim(one, LEASE_MS, by="me")

    again = line.ledger.claim(one, LEASE_MS, by="me")

    assert isinstance(first, Claim)
    assert again == replace(first, now=again.now if isinstance(again, Claim) else 0)
    assert events(line.redis, one) == [("queued", ""), ("delivering", "")]
    assert line.ledger.claim(one, LEASE_MS, by="another") == NoClaim("stale", "a")
    assert line.answer(first, Accepted()) == "accepted"
    assert line.ledger.claim(one, LEASE_MS, by="me") == NoClaim("stale", "a")


def test_a_lease_runs_from_when_a_worker_took_it(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    line.admit()
    line.later(LEASE_MS - SOON)
    claim = line.claim(one)

    line.later(LEASE_MS - SOON)
    assert line.admit() == []

    assert line.answer(claim, Accepted()) == "accepted"


def overtaken(line: Desk) -> tuple[Claim, Claim]:
    """Two workers over one invitation: the lease of the first one ended."""
    line.line_up("a", 1)
    first = line.claim(line.admit()[0])
    line.later(LEASE_MS)
    second = line.claim(line.admit()[0])
    return first, second


def test_who_was_overtaken_cannot_put_the_invitation_back_in_line(line: Desk) -> None:
    first, second = overtaken(line)

    step = {"state": "queued", "reason": "", "counts": True}

    assert line.ledger.settle(first.id, first.token, step) == ("delivering", False)
    assert line.record(first.id).attempts == 1, "the lease that ended is the one attempt"
    assert line.answer(second, Accepted()) == "accepted"


@pytest.mark.parametrize("outcome", [Accepted("ref"), Unavailable("refused"), Throttled("slowly", 1_000)])
def test_who_did_not_hear_the_answer_hears_it_again_and_nothing_more_happens(line: Desk, outcome: Outcome) -> None:
    line.line_up("a", 1)
    claim = line.claim(line.admit()[0])
    step = next_step(outcome, History(0, False), Policy(10, expects_sent=False), jitter=0).as_dict()
    first = line.ledger.settle(claim.id, claim.token, step)
    record, gate = line.record(claim.id), line.gate("a")

    assert line.ledger.settle(claim.id, claim.token, step) == first == (step["state"], True)

    assert (line.record(claim.id), line.gate("a")) == (record, gate)


@pytest.mark.parametrize("outcome", [Accepted("ref"), Duplicate("known"), Rejected("never"), Suppressed("no")])
def test_who_was_overtaken_still_brings_what_the_provider_decided(line: Desk, outcome: Outcome) -> None:
    first, second = overtaken(line)

    state = line.answer(first, outcome)

    assert shelves(line.redis, "a") == {state: [first.id]}
    assert line.ledger.settle(second.id, second.token, {"state": "rejected", "reason": ""}) == (state, False)
    assert line.admit() == []


def test_a_decision_that_comes_late_spares_the_call_that_was_announced(line: Desk) -> None:
    line.line_up("a", 1)
    first = line.claim(line.admit()[0])
    line.later(LEASE_MS)
    assert line.admit() == [first.id]

    line.answer(first, Accepted())

    assert line.no_claim(first.id) == "stale"
    assert line.record(first.id).state == "accepted"


def test_a_decision_that_comes_late_takes_the_invitation_out_of_the_line(line: Desk) -> None:
    line.line_up("a", 1)
    claim = line.claim(*line.admit())
    line.ledger.pause("a", "the shop moves")
    line.later(LEASE_MS)
    assert line.admit() == []
    assert line.line("a") == [claim.id]

    line.answer(claim, Accepted())

    assert line.line("a") == []
    line.ledger.resume("a")
    assert line.admit() == []


def test_a_decision_that_comes_late_frees_the_place_of_the_call_it_overtakes(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", concurrency=1))
    first, _ = overtaken(line)
    other = line.line_up("a", 1)
    assert line.admit() == []

    line.answer(first, Accepted())

    assert line.admit() == other


def test_what_could_not_be_delivered_in_its_time_fails_without_a_call(line: Desk) -> None:
    (one,) = line.line_up("a", 1, expires_ms=MINUTE)
    line.ledger.pause("a", "the shop moves")
    line.later(MINUTE + SOON)
    line.ledger.resume("a")

    assert line.admit() == [one]
    assert line.no_claim(one) == "expired"

    record = line.record(one)
    assert (record.state, record.attempts) == ("failed", 0)
    assert record.reason == "expired: it could not be delivered in the time it was given"
    assert shelves(line.redis, "a") == {"failed": [one]}


def test_what_was_tried_in_its_time_fails_with_the_last_reason(line: Desk) -> None:
    (one,) = line.line_up("a", 1, expires_ms=MINUTE)
    line.deliver(*line.admit(), outcome=Unavailable("no connection"))
    line.later(MINUTE + SOON)

    assert line.admit() == [one]
    assert line.no_claim(one) == "expired"

    assert line.record(one).reason == (
        "expired: it could not be delivered in the time it was given; the last: no connection"
    )


def test_expiry_counts_from_when_it_was_due(line: Desk) -> None:
    (one,) = line.line_up("a", 1, delay_ms=DAY_MS, expires_ms=MINUTE)
    line.later(DAY_MS + MINUTE // 2)

    line.deliver(*line.admit())

    assert line.record(one).state == "accepted"


def test_what_expires_costs_no_slot_of_the_limit(real_redis: Redis) -> None:
    line = Desk(real_redis, account("a", limit="1/hour"))
    old = line.line_up("a", 3, expires_ms=MINUTE)
    line.later(MINUTE + SOON)
    new = line.line_up("a", 1)

    for one in old:
        assert line.admit() == [one]
        assert line.no_claim(one) == "expired"

    assert line.admit() == new
    line.deliver(*new)


def test_a_waiting_invitation_is_cancelled(line: Desk) -> None:
    (one,) = line.line_up("a", 1)

    assert line.ledger.cancel(one, "the order was returned") == ("cancelled", True)

    assert line.ledger.cancel(one, "again") == ("cancelled", False)
    assert line.record(one).reason == "the order was returned"
    assert shelves(line.redis, "a") == {"cancelled": [one]}
    assert line.admit() == []


def test_an_announced_invitation_is_cancelled_and_its_message_is_stale(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    line.admit()

    assert line.ledger.cancel(one, "the order was returned") == ("cancelled", True)

    assert line.no_claim(one) == "stale"


def test_what_is_delivered_or_unknown_is_not_cancelled(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    claim = line.claim(line.admit()[0])

    assert line.ledger.cancel(one, "too late") == ("delivering", False)
    assert line.ledger.cancel("nobody knows it", "") == ("unknown", False)
    assert line.answer(claim, Accepted()) == "accepted"


def test_a_rejected_invitation_is_replayed_with_all_its_time_and_its_history(line: Desk) -> None:
    (one,) = line.line_up("a", 1, expires_ms=MINUTE)
    line.deliver(*line.admit(), outcome=Rejected("never"))
    line.later(DAY_MS)

    assert line.ledger.replay(one) == ("queued", True)

    assert shelves(line.redis, "a") == {}
    line.later(MINUTE // 2)
    line.deliver(*line.admit())
    record = line.record(one)
    assert [change.state for change in record.history] == [
        "queued",
        "delivering",
        "rejected",
        "queued",
        "delivering",
        "accepted",
    ]
    assert record.history[3].reason == "replayed"


def test_a_failed_invitation_is_replayed_with_no_attempts_behind_it(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    for _ in range(10):
        line.answer(line.claim(*line.admit()), Unavailable("away"), down_after=99)
        line.later(DAY_MS)
    assert line.record(one).state == "failed"

    assert line.record(one).reason == "gave up after 10 attempts; the last: away"

    line.ledger.replay(one)

    assert line.record(one).attempts == 0
    assert line.admit() == [one]


@pytest.mark.parametrize("state", ["queued", "accepted", "duplicate", "cancelled"])
def test_nothing_else_is_replayed(line: Desk, state: str) -> None:
    (one,) = line.line_up("a", 1)
    if state == "cancelled":
        line.ledger.cancel(one, "")
    elif state != "queued":
        line.deliver(*line.admit(), outcome=Accepted() if state == "accepted" else Duplicate("known"))

    assert line.ledger.replay(one) == (state, False)
    assert line.record(one).state == state


def test_replaying_what_nobody_knows(line: Desk) -> None:
    assert line.ledger.replay("nobody knows it") == ("unknown", False)


def test_what_is_not_old_enough_is_not_erased(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    line.deliver(*line.admit())
    now = line.ledger.now()
    line.later(MINUTE)

    assert line.ledger.erase(one, "a", "accepted", now - MINUTE - SOON) is False
    assert line.ledger.erase(one, "a", "rejected", now) is False
    assert line.record(one).state == "accepted"
    assert line.ledger.erase(one, "a", "accepted", now - MINUTE) is True
    assert keys_of(line.redis, f"*{one}*") == []
    assert shelves(line.redis, "a") == {}


def test_nothing_unfinished_is_erased(line: Desk) -> None:
    waits, held = line.line_up("a", 2)
    line.claim(line.admit(1)[0])
    much_later = line.ledger.now() + DAY_MS

    for one in (waits, held):
        for state in ("queued", "delivering", "failed"):
            assert line.ledger.erase(one, "a", state, much_later) is False

    assert {line.record(waits).state, line.record(held).state} == {"queued", "delivering"}


def test_an_accepted_invitation_counts_as_finished_when_it_is_meant_to_leave(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    line.deliver(*line.admit(), outcome=Accepted("ref", scheduled_in_ms=5 * DAY_MS))

    accepted, leaves = line.record(one).accepted_at, line.record(one).sends_at

    assert accepted is not None
    assert leaves == accepted + 5 * DAY_MS
    assert line.ledger.erase(one, "a", "accepted", leaves - 1) is False
    assert line.ledger.erase(one, "a", "accepted", leaves) is True


def test_what_was_erased_can_come_again(line: Desk) -> None:
    entry = Entry("own", "a", "a", "1001", "job", 0, DAY_MS, natural="natural")
    line.ledger.accept([entry])
    line.deliver(*line.admit())

    line.ledger.erase("own", "a", "accepted", line.ledger.now())

    assert line.ledger.accept([entry])[0].created is True


def test_an_accepted_invitation_becomes_sent_once(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    line.deliver(*line.admit())
    at = line.ledger.now()

    assert line.ledger.sent(one, at) is True

    assert line.ledger.sent(one, at + 1) is False
    assert (line.record(one).state, line.record(one).sent_at) == ("sent", at)
    assert shelves(line.redis, "a") == {"sent": [one]}


@pytest.mark.parametrize("outcome", [Rejected("never"), Duplicate("known"), None])
def test_nothing_else_becomes_sent(line: Desk, outcome: Outcome | None) -> None:
    (one,) = line.line_up("a", 1)
    if outcome:
        line.deliver(*line.admit(), outcome=outcome)
    state = line.record(one).state

    assert line.ledger.sent(one, line.ledger.now()) is False
    assert line.record(one).state == state


def test_a_long_history_loses_its_beginning_and_never_its_end(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    reason = "the provider said so at length, " * 10
    for _ in range(60):
        claim = line.claim(line.admit()[0])
        line.ledger.settle(one, claim.token, {"state": "queued", "reason": reason, "wait_ms": 0})

    line.deliver(*line.admit())

    record = line.record(one)
    assert 20 < len(record.history) < 120
    assert [change.state for change in record.history[-3:]] == ["queued", "delivering", "accepted"]
    assert len(str(line.redis.hget(f"invitations:record:{one}", "history"))) < 21_000
    assert len(events(line.redis, one)) == 123


@pytest.mark.parametrize("reason", ["two\nlines", "one\u2028two\x85three", 'a "quote" and a \\', "café ☕ \x7f\x1c"])
def test_any_reason_can_be_read_again(line: Desk, reason: str) -> None:
    (one,) = line.line_up("a", 1)

    line.deliver(*line.admit(), outcome=Rejected(reason))

    record = line.record(one)
    assert record.reason == reason
    assert record.history[-1].reason == reason
    assert events(line.redis, one)[-1] == ("rejected", reason)


def test_a_claim_says_what_the_worker_needs(line: Desk) -> None:
    (one,) = line.line_up("a", 1)

    claim = line.claim(line.admit()[0])

    record = line.record(one)
    assert (claim.id, claim.account, claim.job, claim.attempts, claim.unclear) == (one, "a", "job", 0, False)
    assert (claim.created_at, claim.due_at) == (record.created_at, record.due_at)
    assert abs(claim.now - line.ledger.now()) < SOON
    assert "job" not in repr(claim).replace("job=", "")


def test_a_yes_of_the_customer_is_remembered_until_the_next(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    never = line.claim(line.admit()[0])
    line.answer(never, Throttled("slow down", 1_000), consented=True)
    line.later(MINUTE)
    after = line.claim(line.admit()[0])
    line.answer(after, Throttled("slow down", 1_000))
    line.later(MINUTE)

    assert (never.id, never.consented_at) == (one, 0)
    assert MINUTE <= after.now - after.consented_at < MINUTE + 10 * SOON
    assert line.claim(line.admit()[0]).consented_at == after.consented_at - MINUTE, "all times pass together"


def test_a_job_that_ends_its_workers_waits_longer_each_time(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    admitted, waits = line.admit(), []
    for _ in range(5):
        line.claim(*admitted)
        line.later(LEASE_MS)
        admitted = line.admit()
        due_at = line.record(one).due_at
        assert due_at is not None
        waits.append(max(0, round((due_at - line.ledger.now()) / 1000)))
        if not admitted:
            line.later(waits[-1] * 1000 + SOON)
            admitted = line.admit()

    assert waits == [0, 10, 20, 40, 80]
    assert line.record(one).attempts == 5


def unclear_since(line: Desk, invitation: str) -> int | None:
    since = line.redis.hget(f"invitations:record:{invitation}", "unclear_since")
    return int(since) if since else None


def test_the_first_call_that_may_have_arrived_is_remembered(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    first = line.claim(line.admit()[0])
    line.answer(first, Unclear("no answer"))
    assert unclear_since(line, one) == first.now

    line.later(MINUTE)
    line.deliver(*line.admit(), outcome=Unclear("no answer"))
    assert unclear_since(line, one) == first.now - MINUTE, "the second is not the first"
    line.later(MINUTE)
    line.deliver(*line.admit())

    assert unclear_since(line, one) == first.now - 2 * MINUTE, "and it is known when the list is searched"


def test_a_call_that_a_dead_worker_began_may_have_arrived(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    lost = line.claim(line.admit()[0])

    line.later(LEASE_MS)
    line.admit()

    assert unclear_since(line, one) == lost.now - LEASE_MS


def test_a_call_that_surely_did_not_arrive_is_not_remembered(line: Desk) -> None:
    (one,) = line.line_up("a", 1)

    line.deliver(*line.admit(), outcome=Unavailable("away"))

    assert unclear_since(line, one) is None


def test_a_redis_that_lost_everything_is_told_again_what_is_configured(line: Desk) -> None:
    line.line_up("a", 1)
    line.redis.flushdb()
    (one,) = line.line_up("a", 1)

    assert line.admit() == []
    assert line.wait_ms == 0, "there is something to come back for"

    assert line.admit() == [one]


def test_what_was_made_with_another_key_of_the_ids_is_not_written(line: Desk) -> None:
    line.redis.set("invitations:id_key:print", "this one")
    entries: list[Entry | RefusedEntry] = [Entry("x", "a", "a", "", "job", 0, DAY_MS), RefusedEntry("r", "-", "raw")]

    foreign = line.ledger.accept(entries, "another")
    known = line.ledger.accept(entries, "this one")

    assert [(receipt.state, receipt.created) for receipt in foreign] == [("foreign", False)] * 2
    assert [(receipt.state, receipt.created) for receipt in known] == [("queued", True), ("refused", True)]
