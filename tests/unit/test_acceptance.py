"""The one acceptance: idempotent, refuses with every fault, keeps what it refuses, never stops the ones behind."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import fakeredis
import pytest
from cryptography.fernet import Fernet
from redis.exceptions import ConnectionError as RedisConnectionError

from config.accounts_file import load_accounts
from config.settings import load_settings
from tasks.acceptance import Acceptance, Accepted
from worker.ledger import Ledger
from worker.records import Records
from worker.vault import Identity, Vault

ACCOUNTS = """
[accounts.shop_nl]
provider = "webwinkelkeur"
shop_id = 1
code = "c"
[accounts.portal]
provider = "wemasy"
token = "t"
[accounts.reviews]
provider = "feedbackcompany"
access_token = "t"
"""
JOB = {"account": "shop_nl", "email": "jane@example.com", "order": "1"}


class Desk:
    """An acceptance over a fake Redis, and what it wrote."""

    def __init__(self, folder: Path, keys: tuple[str, ...] = ()) -> None:
        (folder / "accounts.toml").write_text(ACCOUNTS)
        self.redis = fakeredis.FakeRedis(decode_responses=True)
        self.ledger = Ledger(self.redis)
        self.vault = Vault(keys)
        accounts = load_accounts(load_settings(accounts_file=folder / "accounts.toml"))
        identity = Identity.of(self.redis, self.vault)
        self.records = Records(self.redis)
        self._acceptance = Acceptance(self.ledger, self.vault, identity, accounts)

    def accept(self, *raws: Any) -> list[Accepted]:
        return self._acceptance.accept(raws)

    def accept_all(self, batches: Iterable[list[Any]]) -> Iterator[list[Accepted]]:
        return self._acceptance.accept_all(batches)

    def order(self, invitation: str) -> str:
        record = self.records.get(invitation)
        return record.order if record else ""

    def faults(self, raw: Any) -> set[str]:
        return {fault.field for fault in self.accept(raw)[0].faults}

    def waits(self, **fields: Any) -> int:
        """Milliseconds that a job waits in the line."""
        receipt = self.accept({**JOB, **fields})[0].receipt
        record = self.records.get(receipt.id)
        assert record is not None
        assert record.due_at is not None
        return record.due_at - record.created_at


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_an_account_that_is_misspelt_is_told_with_the_one_that_is_near(tmp_path: Path) -> None:
    desk = Desk(tmp_path)

    for job in ({**JOB, "account": "shop_n"}, {**JOB, "account": "shop_n", "email": "x"}):
        told = [fault.problem for fault in desk.accept(job)[0].faults if fault.field == "account"]
        assert told == ["is not configured here; did you mean shop_nl?"]
    assert str(desk.accept({**JOB, "account": "elsewhere"})[0].faults[0]) == "account: is not configured here"


def test_an_account_that_is_not_there_is_told_beside_the_other_faults(tmp_path: Path) -> None:
    assert Desk(tmp_path).faults({"account": "shop_n", "email": "x", "delay": 5}) == {"account", "email", "delay"}


def test_an_account_that_cannot_be_one_is_told_once(tmp_path: Path) -> None:
    faults = Desk(tmp_path).accept({"account": 5, "email": "x"})[0].faults

    assert sorted(fault.field for fault in faults) == ["account", "email"]


def test_the_same_job_again_changes_nothing_and_has_the_same_id(desk: Desk) -> None:
    first, again = desk.accept(JOB, {**JOB, "email": "Jane@Example.COM", "language": "nl"})

    assert (first.receipt.created, again.receipt.created) == (True, False)
    assert first.receipt.id == again.receipt.id
    assert desk.redis.zcard("invitations:line:shop_nl") == 1
    assert desk.redis.xlen("invitations:events") == 1


def test_another_account_address_order_or_key_is_another_invitation(desk: Desk) -> None:
    others = [
        JOB,
        {**JOB, "order": "2"},
        {**JOB, "order": None},
        {**JOB, "email": "joe@example.com"},
        {**JOB, "account": "portal"},
        {**JOB, "idempotency_key": "a"},
        {**JOB, "idempotency_key": "b"},
    ]

    answers = desk.accept(*others, *others)

    assert [answer.receipt.created for answer in answers] == [True] * 7 + [False] * 7
    assert len({answer.receipt.id for answer in answers}) == 7


def test_a_refused_job_is_kept_with_its_faults_and_stops_nothing(desk: Desk) -> None:
    bad = {**JOB, "email": "nobody", "colour": "red"}

    before, refused, after = desk.accept(JOB, bad, {**JOB, "order": "2"})

    assert (before.receipt.state, refused.receipt.state, after.receipt.state) == (
        "queued",
        "refused",
        "queued",
    )
    kept = desk.records.get(refused.receipt.id)
    assert kept
    assert kept.account == "shop_nl"
    assert {fault["field"] for fault in kept.faults} == {"email", "colour"}
    assert json.loads(desk.vault.open(kept.job)) == bad


@pytest.mark.parametrize("raw", ["", "{", [], None, 5, {"email": "x"}, "\udcff", {"account": 5}, {"account": "none"}])
def test_a_job_of_no_known_account_is_kept_apart(desk: Desk, raw: Any) -> None:
    answer = desk.accept(raw)[0]

    assert answer.receipt.state == "refused"
    assert list(desk.records.ids("-", "refused")) == [answer.receipt.id]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"reminder": {"amount": 9, "unit": "days"}}, {"reminder"}),
        ({"filtercode": "north"}, {"filtercode"}),
        ({"invite": False}, {"invite"}),
        ({"account": "portal", "language": "nl"}, {"language"}),
        ({"account": "portal", "customer": {"full_name": "J"}, "order_total": 5}, set()),
        ({"account": "reviews", "order": None}, {"order"}),
        ({"account": "reviews", "invite": False, "filtercode": "north"}, set()),
        (
            {"account": "reviews", "client": "shop", "reminder": {"amount": 1, "unit": "hours"}},
            {"client", "reminder"},
        ),
        ({"account": "nowhere"}, {"account"}),
    ],
)
def test_what_the_provider_cannot_carry_is_a_fault_unless_it_is_plain_detail(
    desk: Desk, fields: dict[str, Any], expected: set[str]
) -> None:
    assert desk.faults({**JOB, **fields}) == expected


@pytest.mark.parametrize(
    ("account", "unit", "waited"),
    [
        ("shop_nl", "days", 0),
        ("shop_nl", "hours", 7_200_000),
        ("shop_nl", "seconds", 2_000),
        ("portal", "days", 172_800_000),
        ("portal", "minutes", 120_000),
        ("reviews", "days", 0),
        ("reviews", "weekdays", 0),
        ("reviews", "minutes", 0),
        ("reviews", "seconds", 2_000),
    ],
)
def test_a_delay_is_waited_out_here_where_the_provider_cannot(desk: Desk, account: str, unit: str, waited: int) -> None:
    assert desk.waits(account=account, delay={"amount": 2, "unit": unit}) == waited


def test_weekdays_are_waited_out_here_in_whole_days(desk: Desk) -> None:
    waited = desk.waits(account="portal", delay={"amount": 5, "unit": "weekdays"})

    assert waited in {days * 86_400_000 + shift for days in (5, 6, 7) for shift in (-3_600_000, 0, 3_600_000)}


def test_with_keys_nothing_personal_stands_in_redis(tmp_path: Path) -> None:
    desk = Desk(tmp_path, (Fernet.generate_key().decode(),))

    desk.accept(
        {**JOB, "email": "canary@example.com", "customer": {"full_name": "Canary Doe"}},
        {"account": "shop_nl", "email": "canary", "order": "1"},
    )

    everything = "".join(str(desk.redis.dump(key)) + str(key) for key in desk.redis.scan_iter()).lower()
    texts = "".join(json.dumps(desk.redis.hgetall(key)) for key in desk.redis.keys("invitations:record:*")).lower()
    assert "canary" not in everything
    assert "canary" not in texts


def kept(desk: Desk, answer: Accepted) -> str:
    record = desk.records.get(answer.receipt.id)
    assert record is not None
    assert record.state == "refused"
    return desk.vault.open(record.job)


def padded(size: int) -> str:
    """A job of so many bytes."""
    text = json.dumps({**JOB, "language": "nl"})
    return text + " " * (size - len(text))


def test_a_job_of_64_kib_is_taken_and_a_byte_more_is_refused(desk: Desk) -> None:
    taken, refused = desk.accept(padded(64 * 1024), padded(64 * 1024 + 1))

    assert (taken.receipt.state, taken.faults) == ("queued", ())
    assert [str(fault) for fault in refused.faults] == ["job: expected at most 64 KiB of JSON"]
    assert kept(desk, refused) == padded(64 * 1024 + 1)
    assert desk.records.count("shop_nl", "refused") == 1


@pytest.mark.parametrize("form", [json.dumps, dict])
def test_the_size_is_counted_in_bytes_whatever_the_job_came_as(
    desk: Desk, form: Callable[[dict[str, Any]], Any]
) -> None:
    products = [{"id": "1", "name": "\u738b" * 1500, "url": "https://shop.example/p/1"}]

    accepted, refused = desk.accept(form({**JOB, "products": products * 2}), form({**JOB, "products": products * 15}))

    assert accepted.receipt.state == "queued"
    assert [str(fault) for fault in refused.faults] == ["job: expected at most 64 KiB of JSON"]


def test_spaces_around_a_text_count_too(desk: Desk) -> None:
    assert desk.faults({**JOB, "order": " " * 65_536 + "1"}) == {"job"}


@pytest.mark.parametrize("keys", [(), (Fernet.generate_key().decode(),)])
def test_no_more_than_256_kib_is_kept_and_it_is_said(tmp_path: Path, keys: tuple[str, ...]) -> None:
    desk = Desk(tmp_path, keys)
    job = {**JOB, "order": "\u20ac" * 1_000_000}

    [answer] = desk.accept(json.dumps(job, ensure_ascii=False))

    assert [str(fault) for fault in answer.faults] == [
        "job: expected at most 64 KiB of JSON",
        "job: only its first 256 KiB are kept",
    ]
    whole = json.dumps(job, ensure_ascii=False)
    assert whole.startswith(kept(desk, answer))
    assert 256 * 1024 - 3 < len(kept(desk, answer).encode()) <= 256 * 1024


def circular() -> dict[str, Any]:
    job: dict[str, Any] = {**JOB}
    job["customer"] = job
    return job


def deep() -> dict[str, Any]:
    job: dict[str, Any] = {**JOB}
    for _ in range(100_000):
        job = {"customer": job}
    return job


STRANGE: dict[str, Callable[[], Any]] = {
    "order without end": lambda: {**JOB, "order": 10**5000},
    "account without end": lambda: {**JOB, "account": 10**5000},
    "no number": lambda: {**JOB, "order": float("nan")},
    "half a pair": lambda: {**JOB, "order": "\ud800"},
    "half a pair for a name": lambda: {**JOB, "\ud800": 1},
    "tuple for a name": lambda: {("a", "tuple"): 1, "account": "shop_nl"},
    "object": lambda: {**JOB, "order": object()},
    "circular": circular,
    "deep": deep,
    "half a pair in a text": lambda: json.dumps(JOB)[:-1] + ', "order": "\\ud800"}',
    "order without end in a text": lambda: json.dumps(JOB)[:-1] + ', "order": 1' + "0" * 5000 + "}",
    "deep in a text": lambda: json.dumps(JOB)[:-1] + ', "order": ' + "[" * 50_000 + "}",
    "deep list": lambda: "[" * 60_000,
    "other bytes behind it": lambda: json.dumps(JOB) + "\udcff\udcfe",
    "byte order mark": lambda: "\ufeff" + json.dumps(JOB),
    "other bytes": lambda: b"\xff".decode("utf-8", "surrogateescape"),
    "nought": lambda: "\0",
}


@pytest.mark.parametrize("strange", STRANGE)
def test_strange_jobs_are_refused_and_stop_nobody(desk: Desk, strange: str) -> None:
    before, answer, behind = desk.accept(JOB, STRANGE[strange](), {**JOB, "order": "2"})

    assert (before.receipt.state, answer.receipt.state, behind.receipt.state) == ("queued", "refused", "queued")
    assert answer.faults
    assert kept(desk, answer)


def test_of_two_fields_of_one_name_the_last_counts(desk: Desk) -> None:
    [answer] = desk.accept(json.dumps(JOB)[:-1] + ', "order": "2"}')

    record = desk.records.get(answer.receipt.id)
    assert record is not None
    assert record.order == "2"


def test_an_error_of_this_program_refuses_one_job_and_keeps_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(account: object, job: Any) -> list[Any]:
        if job.order == "2":
            raise RuntimeError("jane@example.com")
        return []

    monkeypatch.setattr("tasks.acceptance.faults_for", stumble)

    answers = desk.accept(JOB, {**JOB, "order": "2"}, {**JOB, "order": "3"})

    assert [answer.receipt.state for answer in answers] == ["queued", "refused", "queued"]
    assert [str(fault) for fault in answers[1].faults] == ["job: could not be read (RuntimeError)"]


def test_redis_away_when_its_time_is_asked_is_no_fault_of_the_job(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(ledger: Ledger) -> int:
        raise RedisConnectionError

    monkeypatch.setattr(Ledger, "now", away)

    with pytest.raises(RedisConnectionError):
        desk.accept({**JOB, "delay": {"amount": 5, "unit": "weekdays"}})

    assert desk.redis.keys("invitations:record:*") == []
    assert desk.accept(JOB)[0].receipt.created, "its time is asked for weekdays alone"


def test_batches_are_answered_in_their_order(desk: Desk) -> None:
    batches = [[{**JOB, "order": f"{batch}-{place}"} for place in range(3)] for batch in range(4)]

    answers = list(desk.accept_all([*batches, batches[0]]))

    ids = [[answer.receipt.id for answer in batch] for batch in answers]
    assert [[desk.order(one) for one in batch] for batch in ids[:4]] == [
        [str(job["order"]) for job in batch] for batch in batches
    ]
    assert [answer.receipt.created for answer in answers[4]] == [False] * 3
