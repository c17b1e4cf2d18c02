"""Whatever comes in place of a job: it is answered, and either lined up or kept with its faults."""

import json
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from functools import reduce
from operator import getitem
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from config.accounts import WebwinkelkeurAccount, WemasyAccount
from config.accounts_file import Accounts
from config.texts import STEERING
from tasks.acceptance import MOST_BYTES, Acceptance
from tasks.faults import JobError
from tasks.job import MOST_FAULTS, Job
from tests.property.profiles import PROFILE
from worker.ledger import Ledger
from worker.records import Record, Records
from worker.vault import Identity, Vault

# Seconds are enough; a nightly run takes minutes.
pytestmark = pytest.mark.timeout(7_200)

ACCOUNTS: Accounts = {
    "shop_nl": WebwinkelkeurAccount(name="shop_nl", provider="webwinkelkeur", shop_id=1, code="c"),  # type: ignore[arg-type]
    "portal": WemasyAccount(name="portal", provider="wemasy", token="t"),  # type: ignore[arg-type]
}
WHOLE: dict[str, Any] = {
    "account": "shop_nl",
    "email": "canary.jane@example.com",
    "order": "1001",
    "language": "nl",
    "customer": {"full_name": "Jane Doe", "first_name": "Jane", "last_name": "Doe", "phone_numbers": ["+31612345678"]},
    "order_total": "1500.99",
    "products": [{"id": "1", "name": "Pear", "url": "https://shop.example/p/1", "sku": "r", "gtin": "0075678164125"}],
    "delay": {"amount": 5, "unit": "days"},
    "client": "my-shop",
    "platform_version": "2.1",
    "plugin_version": "1.0",
    "invite": True,
}
PLACES = [
    *((name,) for name in (*WHOLE, "reminder", "filtercode", "idempotency_key", "unknown")),
    *(("customer", name) for name in WHOLE["customer"]),
    *(("products", 0, name) for name in WHOLE["products"][0]),
    ("customer", "phone_numbers", 0),
    ("products", 0),
    ("delay", "amount"),
    ("delay", "unit"),
]
# Half pairs of Unicode, control characters and all, and now and then very much of it.
NASTY = ["a\nb", "a\r\nX-Header: b", "a\0b", "\x1b[31m", "a\u202eb", "\ud800", "NaN", "", " "]
TEXTS = (
    st.sampled_from(NASTY)
    | st.text(st.characters(), max_size=30)
    | st.builds(str.__mul__, st.sampled_from("a€\n王 "), st.integers(0, 70_000))
)
NUMBERS = st.integers() | st.floats() | st.sampled_from([10**4000, -(10**400), 1e308])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
ACCOUNT_NAMES = st.sampled_from(["shop_nl", "shop_nl", "shop_nl", "portal", "nobody"])


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A valid job with a few things in it replaced by anything, or taken out."""
    job = {**deepcopy(WHOLE), "account": draw(ACCOUNT_NAMES), "order": str(draw(st.integers(0, 5)))}
    for *path, name in draw(st.lists(st.sampled_from(PLACES), max_size=2)):
        with suppress(KeyError, IndexError, TypeError):
            # What an earlier replacement took away has no inside any more.
            reduce(getitem, path, job)[name] = draw(st.sampled_from(NASTY) | TEXTS | NUMBERS | VALUES)
    return job


@st.composite
def as_text(draw: st.DrawFn) -> str:
    """A job as JSON, or what damage made of it, as the stream hands it on."""
    text = json.dumps(draw(mutated() | VALUES), ensure_ascii=draw(st.booleans()))
    if draw(st.booleans()):
        return text
    damaged = bytearray(text.encode("utf-8", "replace"))
    damaged[draw(st.integers(0, len(damaged))) :] = draw(st.binary(max_size=20))
    return damaged.decode("utf-8", "surrogateescape")


JOBS = st.lists(
    mutated() | mutated() | as_text() | VALUES | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")),
    min_size=4,
    max_size=10,
)


@pytest.fixture(scope="module")
def redis(server: str) -> Iterator[Redis]:
    with Redis.from_url(server, decode_responses=True, encoding_errors="surrogateescape") as client:
        client.flushdb()
        yield client


@PROFILE
@given(raws=JOBS)
def test_every_job_is_lined_up_or_kept(redis: Redis, raws: list[Any]) -> None:
    vault = Vault()
    acceptance = Acceptance(Ledger(redis), vault, Identity.of(redis, vault), ACCOUNTS)

    answers = acceptance.accept(raws)

    assert len(answers) == len(raws)
    for answer in answers:
        record = Records(redis).get(answer.receipt.id)
        assert record is not None
        assert record.state == answer.receipt.state
        assert bool(answer.faults) is (record.state == "refused")
        assert "canary" not in f"{answer} {answer!r} {answer.faults} {record!r} {record.reason} {record.faults}"
        assert STEERING.search(f"{record.reason}{record.order}") is None
        _check_queued(redis, record) if record.state == "queued" else _check_kept(redis, record)


def _check_queued(redis: Redis, record: Record) -> None:
    job = Job.read(Vault().open(record.job))
    assert Job.read(job.model_dump_json()) == job
    assert "canary" not in f"{job} {job!r}"
    assert [text for text in _texts(job.model_dump(mode="json")) if STEERING.search(text)] == []
    assert redis.zscore(f"invitations:line:{record.account}", record.id) is not None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)


def _check_kept(redis: Redis, record: Record) -> None:
    assert record.job or not record.reason.startswith("job: expected")
    assert record.account in (*ACCOUNTS, "-")
    assert redis.zscore(f"invitations:state:{record.account}:refused", record.id) is not None
    assert len(json.dumps(record.faults)) < MOST_BYTES


@PROFILE
@given(raw=mutated())
def test_a_job_reads_itself_again_and_a_fault_names_no_value(raw: Any) -> None:
    job, faults = _read(raw)

    assert "canary" not in f"{job} {job!r} {faults} {faults!r} {faults and faults.faults}"
    assert STEERING.search(str(faults)) is None
    assert len(faults.faults if faults else []) <= MOST_FAULTS + 1
    if job:
        assert [text for text in _texts(job.model_dump(mode="json")) if STEERING.search(text)] == []
        assert Job.read(job.model_dump_json()) == job
        assert Job.read(job.model_dump(mode="json", exclude_defaults=True)) == job


def _read(raw: Any) -> tuple[Job | None, JobError | None]:
    try:
        return Job.read(raw), None
    except JobError as error:
        return None, error
