"""Retry-After in every form that RFC 9110 knows, and in none of them."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from tasks.providers.retry_after import MAX_RETRY_AFTER_MS, http_date, retry_after_ms

NOW = datetime(2026, 11, 6, 8, 49, 37, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("120", 120_000),
        (" 120 ", 120_000),
        ("0", 0),
        ("1.5", 1_500),
        (".5", 500),
        ("2.", 2_000),
        ("0.0001", 1),
        ("+3", 3_000),
        ("-3", 0),
        ("86400", 86_400_000),
        ("Fri, 06 Nov 2026 08:50:37 GMT", 60_000),
        ("Friday, 06-Nov-26 08:50:37 GMT", 60_000),
        ("Fri Nov  6 08:50:37 2026", 60_000),
        ("Fri, 06 Nov 2026 09:50:37 +0100", 60_000),
        ("Fri, 06 Nov 2026 08:49:37 GMT", 0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
    ],
)
def test_seconds_and_dates(header: str, expected: int) -> None:
    assert retry_after_ms(header, NOW) == expected


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        " ",
        "soon",
        "1,5",
        "1e3",
        "٣",
        "5 minutes",
        "10, 20",
        "2026-11-06T08:50:37Z",
        "NaN",
        "inf",
        "0x10",
        "Fri, 99 Nov 2026 08:50:37 GMT",
        "Fri, 06 Nov 2026",
    ],
)
def test_nonsense_is_none(header: str | None) -> None:
    assert retry_after_ms(header, NOW) is None


@pytest.mark.parametrize(
    "header", ["86401", "9" * 5_000, "Sun, 08 Nov 2026 08:49:37 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"]
)
def test_more_than_a_day_is_capped_and_logged(header: str) -> None:
    with structlog.testing.capture_logs() as events:
        wait = retry_after_ms(header, NOW)

    assert wait == MAX_RETRY_AFTER_MS == 86_400_000
    assert events == [{"event": "retry_after_capped", "log_level": "warning", "used_ms": 86_400_000}]


def test_a_whole_day_is_not_capped() -> None:
    with structlog.testing.capture_logs() as events:
        assert retry_after_ms("86400", NOW) == MAX_RETRY_AFTER_MS
    assert events == []


@given(st.decimals(min_value=0, max_value=86_400, places=5))
def test_seconds_are_never_shortened(seconds: object) -> None:
    wait = retry_after_ms(format(seconds, "f"), NOW)

    assert wait is not None
    assert wait / 1000 >= float(str(seconds)) - 1e-9
    assert wait / 1000 < float(str(seconds)) + 0.001


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 2), timezones=st.just(UTC)),
    st.integers(min_value=0, max_value=80_000),
)
def test_dates_are_never_shortened(now: datetime, seconds: int) -> None:
    asked = now.replace(microsecond=0) + timedelta(seconds=seconds)
    wait = retry_after_ms(format_datetime(asked, usegmt=True), now)

    assert wait is not None
    assert now + timedelta(milliseconds=wait) >= asked


@given(st.text("0123456789 .,:;+-/GMTFriNovinfeNa\0\té٣"))
def test_any_text_is_a_time_or_none(header: str) -> None:
    wait = retry_after_ms(header, NOW)

    assert wait is None or 0 <= wait <= MAX_RETRY_AFTER_MS


def test_an_http_date_is_aware() -> None:
    assert http_date("Fri Nov  6 08:49:37 2026") == NOW
    assert http_date("Fri, 06 Nov 2026 08:49:37 -0000") == NOW
    assert http_date("soon") is None
    assert http_date(None) is None
