"""What people and metrics see of the ledger: records, lists, accounts, and what is expected to be sent."""

from collections.abc import Callable

import pytest
from redis import Redis

from tasks.outcome import Accepted, CredentialsRefused, Limits, Rejected, Throttled
from tests.property.desk import DAY_MS, Desk, account
from worker.entries import Entry, RefusedEntry
from worker.overview import AccountView, overview
from worker.records import Records
from worker.sightings import Sighting, Sightings, expecting

SOON = 1_000
HOUR = 3_600_000


def view(line: Desk, **fields: object) -> AccountView:
    return overview(line.ledger, [account("a", **fields)])["a"]


def test_a_record_has_no_times_that_did_not_come_yet(line: Desk) -> None:
    (one,) = line.line_up("a", 1)

    record = line.record(one)

    assert (record.accepted_at, record.sends_at, record.sent_at, record.provider_reference) == (None,) * 4
    assert (record.account, record.order, record.state, record.reason) == ("a", one, "queued", "")
    assert record.due_at == record.created_at == record.changed_at
    assert "job=" not in repr(record)


def test_a_record_says_what_the_provider_made_of_it(line: Desk) -> None:
    (one,) = line.line_up("a", 1)
    line.deliver(*line.admit(), outcome=Accepted("ref-1", scheduled_in_ms=HOUR))

    record = line.record(one)

    assert record.provider_reference == "ref-1"
    assert record.accepted_at is not None
    assert record.sends_at == record.accepted_at + HOUR


def test_what_nobody_knows_has_no_record(line: Desk) -> None:
    (one,) = line.line_up("a", 1)

    assert Records(line.redis).get("nobody knows it") is None
    assert [record.id for record in Records(line.redis).many(["nobody knows it", one])] == [one]


def test_a_long_list_comes_in_full_and_in_order(line: Desk) -> None:
    ids = line.line_up("a", 1_203)
    records = Records(line.redis)

    assert list(records.ids("a", "queued", newest_first=False)) == ids
    assert list(records.ids("a", "queued")) == ids[::-1]
    assert list(records.ids("b", "queued")) == []


def test_the_latest_changed_last(line: Desk) -> None:
    ids = line.line_up("a", 4)
    line.admit()
    for one in (ids[2], ids[0], ids[3]):
        line.deliver(one, outcome=Rejected("never") if one == ids[0] else None)
        line.later(1_000)

    found = Records(line.redis).latest(["a", "b"], ["accepted", "rejected"], 2)

    assert [record.id for record in found] == [ids[3], ids[0]]


def test_what_is_announced_is_still_listed_as_queued(line: Desk) -> None:
    announced, held = line.line_up("a", 2)
    line.admit()
    line.claim(held)

    found = Records(line.redis).latest(["a"], ["queued"], 10)

    assert [record.id for record in found] == [announced]


def test_every_account_that_was_ever_there_is_known(line: Desk) -> None:
    line.ledger.accept([Entry("x", "gone", "gone", "", "job"), RefusedEntry("r", "-", "raw", "[]")])

    assert Records(line.redis).accounts() == ["-", "a", "b", "gone"]


def test_an_account_is_counted_by_state(line: Desk) -> None:
    line.line_up("a", 5)
    line.line_up("b", 3)
    first, second, _ = line.admit(3)
    line.deliver(*(one for one in (first, second)), outcome=Rejected("never"))

    seen = view(line)

    assert (seen.waiting, seen.delivering) == (2, 1)
    assert seen.states == {
        "queued": 2, "delivering": 1, "accepted": 0, "sent": 0, "duplicate": 0, "rejected": 2, "failed": 0,
        "refused": 0, "suppressed": 0, "cancelled": 0,
    }  # fmt: skip


def test_how_long_the_longest_due_waits(line: Desk) -> None:
    line.line_up("a", 1, delay_ms=HOUR)
    assert view(line).oldest_due_ms == 0

    line.line_up("a", 1)
    line.later(HOUR // 2)

    assert HOUR // 2 <= view(line).oldest_due_ms < HOUR // 2 + SOON


def throttle(line: Desk) -> None:
    line.deliver(*line.admit(), outcome=Throttled("slow down", HOUR))


def refuse(line: Desk) -> None:
    line.answer(line.claim(*line.admit()), CredentialsRefused("401: check the credentials"), refused_after=1)


def pause(line: Desk) -> None:
    throttle(line)
    line.ledger.pause("a", "the shop moves")


@pytest.mark.parametrize(
    ("happens", "gate", "reason", "until_ms"),
    [
        (lambda line: None, "open", None, None),
        (throttle, "closed", "rate limited", HOUR),
        (refuse, "paused", "401: check the credentials", HOUR // 4),
        (pause, "paused", "the shop moves", None),
    ],
    ids=["open", "closed", "refused", "paused"],
)
def test_how_a_gate_stands(
    line: Desk, happens: Callable[[Desk], None], gate: str, reason: str | None, until_ms: int | None
) -> None:
    line.line_up("a", 1)

    happens(line)

    seen = view(line)
    assert (seen.gate, seen.gate_reason) == (gate, reason)
    expected = None if until_ms is None else line.ledger.now() + until_ms
    assert seen.gate_until == (expected and pytest.approx(expected, abs=SOON))


def test_a_gate_whose_time_is_over_is_open(line: Desk) -> None:
    line.line_up("a", 1)
    throttle(line)

    line.later(HOUR + SOON)

    assert (view(line).gate, view(line).gate_until) == ("open", None)


@pytest.mark.parametrize(
    ("configured", "said", "shown"),
    [
        (None, None, None),
        ("60/minute", None, "60 per 60 s"),
        ("60/minute", Limits(30, None, 60_000), "30 per 60 s"),
        ("10/second", Limits(700, None, 60_000), "10 per 1 s"),
        (None, Limits(100, 99, 3_600_000), "100 per 3600 s"),
    ],
)
def test_the_limit_in_force_is_shown(
    real_redis: Redis, configured: str | None, said: Limits | None, shown: str | None
) -> None:
    line = Desk(real_redis, account("a", limit=configured))
    line.line_up("a", 1)
    line.deliver(*line.admit(), limits=said)

    assert view(line, limit=configured).limit == shown


def test_no_account_has_no_view(line: Desk) -> None:
    assert overview(line.ledger, []) == {}


def test_many_accounts_are_looked_at_in_few_commands(line: Desk) -> None:
    accounts = [account(f"a{number}") for number in range(950)] + [account("a")]
    line.line_up("a", 3)
    overview(line.ledger, accounts)
    line.redis.config_resetstat()

    seen = overview(line.ledger, accounts, states=())

    assert line.redis.info("commandstats")["cmdstat_evalsha"]["calls"] == 10
    assert sum(one.waiting for one in seen.values()) == seen["a"].waiting == 3


def test_a_pause_without_a_reason_is_a_pause(line: Desk) -> None:
    line.ledger.pause("a", "")

    assert (view(line).gate, view(line).gate_reason) == ("paused", "")


def expected(line: Desk, count: int, scheduled_in_ms: int = 0) -> list[str]:
    """Accepted invitations whose provider will tell when they went out."""
    ids = line.line_up("a", count)
    for claim in [line.claim(one) for one in line.admit()]:
        line.answer(claim, Accepted("ref", scheduled_in_ms), expect=True)
    return ids


def test_what_may_have_gone_out_by_now_is_looked_for(line: Desk) -> None:
    soon = expected(line, 2)
    later = expected(line, 1, scheduled_in_ms=HOUR)
    sightings = Sightings(line.ledger, "a")

    assert [one.id for one in sightings.due(10)] == soon
    assert [one.id for one in sightings.due(1)] == soon[:1]
    line.later(HOUR + SOON)
    assert [one.id for one in sightings.due(10)] == [*soon, *later]


def test_only_accounts_with_something_to_learn_are_asked_for(line: Desk) -> None:
    expected(line, 3)
    line.line_up("b", 1)
    for claim in [line.claim(one) for one in line.admit()]:
        line.answer(claim, Accepted("ref", HOUR), expect=True)

    assert expecting(line.ledger, ["a", "b", "idle"]) == ["a"]
    line.later(HOUR + SOON)
    assert expecting(line.ledger, ["a", "b", "idle"]) == ["a", "b"]
    assert expecting(line.ledger, []) == []


def test_a_sighting_knows_the_natural_id_and_when_it_was_accepted(line: Desk) -> None:
    line.ledger.accept([Entry("own", "a", "a", "", "job", 0, DAY_MS, natural="natural")])
    line.answer(line.claim(*line.admit()), Accepted(), expect=True)
    (plain,) = expected(line, 1)

    found = Sightings(line.ledger, "a").due(10)

    assert {(one.id, one.natural) for one in found} == {("own", "natural"), (plain, plain)}
    assert [one.accepted_at for one in found] == [line.record(one.id).accepted_at for one in found]


def test_what_was_sent_or_erased_is_looked_for_no_more(line: Desk) -> None:
    sent, erased, waits = expected(line, 3)

    line.ledger.sent(sent, line.ledger.now())
    line.ledger.erase(erased, "a", "accepted", line.ledger.now())

    assert [one.id for one in Sightings(line.ledger, "a").due(10)] == [waits]


def test_what_is_missing_is_looked_for_at_doubled_intervals_up_to_a_day(line: Desk) -> None:
    expected(line, 1)
    sightings = Sightings(line.ledger, "a")
    waits = []
    for _ in range(9):
        found = sightings.due(10)
        assert len(found) == 1
        sightings.look_again(found, soonest_ms=HOUR)
        at = line.redis.zscore("invitations:expected:a", found[0].id)
        assert at is not None
        wait_ms = int(at) - line.ledger.now()
        waits.append(round(wait_ms / HOUR))
        line.later(wait_ms + 1)

    assert waits == [1, 1, 2, 4, 8, 16, 24, 24, 24]


def test_what_the_provider_means_to_send_later_is_looked_for_then(line: Desk) -> None:
    expected(line, 1)
    sightings = Sightings(line.ledger, "a")
    (one,) = sightings.due(10)

    sightings.expect_at(one, line.ledger.now() + HOUR)

    assert sightings.due(10) == []
    line.later(HOUR + SOON)
    assert len(sightings.due(10)) == 1


def test_what_was_forgotten_meanwhile_is_not_expected_again(line: Desk) -> None:
    sightings = Sightings(line.ledger, "a")
    gone = Sighting("gone", "gone", line.ledger.now())

    sightings.look_again([gone], soonest_ms=0)
    sightings.expect_at(gone, 0)

    assert sightings.due(10) == []
