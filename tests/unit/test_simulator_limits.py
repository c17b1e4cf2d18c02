"""The simulator's rates, windows and Retry-After: exact at their edges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.simulator.limits import (
    NS_PER_SECOND,
    Allowance,
    FixedWindow,
    Rate,
    SlidingWindow,
    TokenBucket,
    WindowKind,
    new_window,
    parse_rate,
)
from ops.simulator.retry_after import retry_after_ends, retry_after_text

START = 1_800_000_000 * NS_PER_SECOND


@pytest.mark.parametrize(
    ("text", "count", "period_ms"),
    [
        ("60/minute", 60, 60_000),
        ("20/second", 20, 1_000),
        ("1000/hour", 1000, 3_600_000),
        ("60/6s", 60, 6_000),
        ("5/250ms", 5, 250),
        ("3/0.5s", 3, 500),
        ("10/2h", 10, 7_200_000),
        ("9/3m", 9, 180_000),
    ],
)
def test_a_rate_is_read(text: str, count: int, period_ms: int) -> None:
    assert parse_rate(text) == Rate(count, period_ms * 1_000_000)


@pytest.mark.parametrize(
    "text",
    ["", "60", "60/", "/minute", "0/minute", "60/0s", "60/day", "-1/minute", "60 / minute", "6.5/minute"],
)
def test_anything_else_is_no_rate(text: str) -> None:
    with pytest.raises(ValueError, match="expected a count of at least 1 per time"):
        parse_rate(text)


@pytest.mark.parametrize(("text", "per_minute"), [("60/minute", 60), ("60/6s", 600), ("5/hour", 1)])
def test_a_rate_knows_its_calls_a_minute(text: str, per_minute: int) -> None:
    assert parse_rate(text).per_minute == per_minute


def test_a_fixed_window_starts_at_the_first_call_in_it() -> None:
    window = FixedWindow(Rate(2, 10))

    taken = [window.take(START + at) for at in (0, 9, 9, 10, 25, 34, 34, 35)]

    assert taken == [
        Allowance(1, None),
        Allowance(0, None),
        Allowance(0, 1),
        Allowance(1, None),
        Allowance(1, None),
        Allowance(0, None),
        Allowance(0, 1),
        Allowance(1, None),
    ]


def test_a_sliding_window_frees_one_call_at_a_time() -> None:
    window = SlidingWindow(Rate(2, 10))

    taken = [window.take(START + at) for at in (0, 6, 9, 10, 15, 16)]

    assert taken == [
        Allowance(1, None),
        Allowance(0, None),
        Allowance(0, 1),
        Allowance(0, None),
        Allowance(0, 1),
        Allowance(0, None),
    ]


def test_a_bucket_is_full_at_first_and_refilled_evenly() -> None:
    window = TokenBucket(Rate(2, 10))

    taken = [window.take(START + at) for at in (0, 0, 0, 5, 6, 20)]

    assert taken == [
        Allowance(1, None),
        Allowance(0, None),
        Allowance(0, 5),
        Allowance(0, None),
        Allowance(0, 4),
        Allowance(1, None),
    ]


@given(
    kind=st.sampled_from(["fixed", "sliding", "bucket"]),
    rate=st.builds(Rate, st.integers(1, 6), st.integers(6, 60)),
    steps=st.lists(st.integers(0, 15), max_size=80),
)
def test_the_wait_of_a_refused_call_is_exact(kind: WindowKind, rate: Rate, steps: list[int]) -> None:
    now, window, replayed = START, new_window(kind, rate), []
    for step in steps:
        now += step
        wait_ns = window.take(now).wait_ns
        replayed.append(now)
        if wait_ns is not None:
            early, exact = new_window(kind, rate), new_window(kind, rate)
            for at in replayed:
                early.take(at)
                exact.take(at)
            assert early.take(now + wait_ns - 1).wait_ns == 1
            assert exact.take(now + wait_ns).wait_ns is None


@given(
    rate=st.builds(Rate, st.integers(1, 6), st.integers(6, 60)),
    steps=st.lists(st.integers(0, 15), max_size=80),
)
def test_no_period_holds_more_calls_than_a_sliding_window_allows(rate: Rate, steps: list[int]) -> None:
    now, window, passed = START, SlidingWindow(rate), []
    for step in steps:
        now += step
        if window.take(now).wait_ns is None:
            passed.append(now)

    for first in passed:
        assert sum(first <= at < first + rate.period_ns for at in passed) <= rate.count


@pytest.mark.parametrize(("wait_ns", "seconds"), [(1, "1"), (NS_PER_SECOND, "1"), (NS_PER_SECOND + 1, "2")])
def test_retry_after_is_rounded_up_to_whole_seconds(wait_ns: int, seconds: str) -> None:
    assert retry_after_text("seconds", START + 7, wait_ns) == seconds


def test_retry_after_as_a_date_is_not_before_the_wait_is_over() -> None:
    text = retry_after_text("date", START + 7, NS_PER_SECOND)

    assert text == "Fri, 15 Jan 2027 08:00:02 GMT"
    assert retry_after_ends(text, START + 7) == START + 2 * NS_PER_SECOND


def test_retry_after_can_be_left_out() -> None:
    assert retry_after_text("none", START, NS_PER_SECOND) is None


def test_retry_after_in_seconds_ends_that_long_after_it_was_given() -> None:
    assert retry_after_ends("3", START + 7) == START + 7 + 3 * NS_PER_SECOND


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5", "²"])
def test_nonsense_binds_nobody(text: str) -> None:
    assert retry_after_ends(text, START) is None
