"""The search in a provider's list: finds what is there, reads few pages, survives rows that arrive meanwhile."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.listed import SIZE, Search, Wanted
from tasks.providers.listing import Page, Row

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


class ListOf:
    """A provider's list: one row for each age in seconds; `arriving` rows are added before each read."""

    def __init__(self, ages: Sequence[float], arriving: int = 0) -> None:
        self.rows = [row(age) for age in sorted(ages)]
        self.arriving = arriving
        self.reads: list[int] = []
        self.seen: set[str] = set()

    def read(self, offset: int) -> Page:
        self.reads.append(offset)
        self.rows = [row(-len(self.reads)) for _ in range(self.arriving)] + self.rows
        return Page(self.rows[offset : offset + SIZE], None)

    def see(self, found: Row) -> None:
        self.seen.add(found.email)


def row(age: float) -> Row:
    created = NOW - timedelta(seconds=age)
    return Row(f"{age}@example.com", None, 0, created, created, None)


def wanted(age: float) -> Wanted:
    return Wanted.of(str(age), str(age), NOW - timedelta(seconds=age))


@settings(deadline=None)
@given(
    st.sampled_from([0.01, 0.2, 1, 1_000]).flatmap(
        lambda apart: st.lists(
            st.integers(0, 3_000).map(lambda age: age * apart), min_size=1, max_size=900, unique=True
        )
    ),
    st.data(),
    st.integers(0, 9),
)
def test_everything_that_is_listed_is_found(ages: list[float], data: st.DataObject, arriving: int) -> None:
    listed = ListOf(ages, arriving)
    targets = data.draw(st.lists(st.sampled_from(ages), max_size=20, unique=True))
    absent = data.draw(st.lists(st.integers(0, 4_000_000), max_size=3, unique=True))

    complete = Search(listed.read, listed.see).run([wanted(age) for age in {*targets, *absent}])

    assert complete
    assert {f"{age}@example.com" for age in targets} <= listed.seen
    assert len(listed.reads) <= 2 + 2 * len(ages) // (SIZE - 10) + 20 * (len(targets) + len(absent))


def test_an_old_invitation_is_found_without_walking_all_pages() -> None:
    listed = ListOf(list(range(0, 1_000_000, 10)))

    Search(listed.read, listed.see).run([wanted(700_000)])

    assert "700000@example.com" in listed.seen
    assert len(listed.reads) < 30


@pytest.mark.parametrize(
    "ages", [(5_000, 10_000, 20_000), (89, 43_000), (0, 1, 49_999), (12_345,), (99, 100, 101, 9_000, 9_100, 30_000)]
)
@pytest.mark.parametrize("arriving", [0, 3])
def test_several_are_found_in_a_long_list(ages: tuple[int, ...], arriving: int) -> None:
    listed = ListOf([age * 60 for age in range(50_000)], arriving)

    complete = Search(listed.read, listed.see).run([wanted(age * 60) for age in ages])

    assert complete
    assert {f"{age * 60}@example.com" for age in ages} <= listed.seen
    assert len(listed.reads) < 30 * len(ages)


@pytest.mark.parametrize("arriving", [0, 3])
def test_of_many_in_the_same_minutes_each_is_found(arriving: int) -> None:
    ages = [3_000 + number / 20 for number in range(1_000)]
    listed = ListOf([*range(1_000), *ages, *range(20_000, 21_000)], arriving)

    complete = Search(listed.read, listed.see).run([wanted(age) for age in ages[::7]])

    assert complete
    assert {f"{age}@example.com" for age in ages} <= listed.seen
    assert len(listed.reads) < 30


def test_one_that_reached_the_provider_long_before_it_was_accepted_is_found() -> None:
    listed = ListOf([age * 10 for age in range(5_000)])
    hours_before = Wanted.of("a", "a", NOW - timedelta(minutes=5), NOW - timedelta(hours=9))

    Search(listed.read, listed.see).run([hours_before])

    assert f"{9 * 3_600}@example.com" in listed.seen


def test_what_is_new_is_found_on_the_first_page() -> None:
    listed = ListOf([*range(10), *range(10_000, 20_000)])

    Search(listed.read, listed.see).run([wanted(age) for age in range(10)])

    assert listed.reads == [0]


def test_a_page_that_may_not_be_read_ends_the_search_unfinished() -> None:
    assert Search(lambda offset: None, lambda found: None).run([wanted(5)]) is False


def test_an_empty_list_holds_nothing() -> None:
    listed = ListOf([])

    assert Search(listed.read, listed.see).run([wanted(5), wanted(50)])
    assert listed.reads == [0]


def test_near_a_change_of_summer_time_the_list_may_be_an_hour_off() -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    changing = datetime(2026, 10, 25, 2, 30, tzinfo=zone)
    steady = datetime(2026, 10, 28, 2, 30, tzinfo=zone)

    assert changing - Wanted.of("a", "a", changing).earliest == timedelta(hours=1, minutes=2)
    assert steady - Wanted.of("a", "a", steady).earliest == timedelta(minutes=2)
