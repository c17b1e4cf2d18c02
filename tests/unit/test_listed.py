"""The search in a provider's list: finds what is there, reads few pages, survives rows that arrive meanwhile."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import log2
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.bench.retrieval import ModelledList, bound, requests
from tasks.listed import NEAR, SIZE, Search, Wanted
from tasks.providers.listing import Page, Row

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


class ListOf:
    """A provider's list: one row for each age in seconds; `arriving` rows are added before each read."""

    def __init__(self, ages: Sequence[float], arriving: int = 0) -> None:
        self.rows = [row(age) for age in sorted(ages)]
        self.arriving = arriving
        self.reads: list[int] = []
        self.seen: set[str] = set()
        self.wanted: set[str] = set()

    def read(self, offset: int) -> Page:
        self.reads.append(offset)
        assert len(self.reads) < 1_000, "the search does not end"
        self.rows = [row(-len(self.reads)) for _ in range(self.arriving)] + self.rows
        return Page(self.rows[offset : offset + SIZE], None)

    def see(self, found: Row) -> str | None:
        self.seen.add(found.email)
        name = found.email.partition("@")[0]
        return name if name in self.wanted else None

    def search(self, *targets: Wanted) -> list[Wanted]:
        self.wanted = {one.id for one in targets}
        return Search(self.read, self.see).run(list(targets))


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

    assert listed.search(*(wanted(age) for age in {*targets, *absent})) == []
    assert {f"{age}@example.com" for age in targets} <= listed.seen
    assert len(listed.reads) <= 2 + 2 * len(ages) // (SIZE - 10) + 20 * (len(targets) + len(absent))


def test_an_old_invitation_is_found_without_walking_all_pages() -> None:
    listed = ListOf(list(range(0, 1_000_000, 10)))

    listed.search(wanted(700_000))

    assert "700000@example.com" in listed.seen
    assert len(listed.reads) < 30


@pytest.mark.parametrize(
    "ages", [(5_000, 10_000, 20_000), (89, 43_000), (0, 1, 49_999), (12_345,), (99, 100, 101, 9_000, 9_100, 30_000)]
)
@pytest.mark.parametrize("arriving", [0, 3])
def test_several_are_found_in_a_long_list(ages: tuple[int, ...], arriving: int) -> None:
    listed = ListOf([age * 60 for age in range(50_000)], arriving)

    assert listed.search(*(wanted(age * 60) for age in ages)) == []
    assert {f"{age * 60}@example.com" for age in ages} <= listed.seen
    assert len(listed.reads) < 30 * len(ages)


@pytest.mark.parametrize("arriving", [0, 3])
def test_of_many_in_the_same_minutes_each_is_found(arriving: int) -> None:
    ages = [3_000 + number / 20 for number in range(1_000)]
    listed = ListOf([*range(1_000), *ages, *range(20_000, 21_000)], arriving)

    assert listed.search(*(wanted(age) for age in ages[::7])) == []
    assert {f"{age}@example.com" for age in ages[::7]} <= listed.seen
    assert len(listed.reads) < 30


def test_one_that_reached_the_provider_long_before_it_was_accepted_is_found() -> None:
    listed = ListOf([age * 10 for age in range(5_000)])
    hours_before = Wanted.of("a", "a", NOW - timedelta(minutes=5), NOW - timedelta(hours=9))

    listed.search(hours_before)

    assert f"{9 * 3_600}@example.com" in listed.seen


@pytest.mark.parametrize("held", [100, 199, 200, 1_000, 9_999, 100_000])
@pytest.mark.parametrize("due", [1, 2, 100, 101, 5_000])
def test_those_that_stand_together_are_found_with_few_requests(held: int, due: int) -> None:
    due = min(due, held)
    spare = held - due

    for place in {0, spare // 3, spare // 2, spare - spare // 99, spare}:
        assert requests(held, place, due) <= bound(held, due), place


@settings(deadline=None, max_examples=60)
@given(st.integers(100, 100_000), st.integers(1, 400), st.floats(0, 1), st.sampled_from([0.01, 1, 60, 86_400]))
def test_so_it_is_wherever_they_stand_and_however_dense_the_list_is(
    held: int, due: int, where: float, apart: float
) -> None:
    due = min(due, held)
    first = int(where * (held - due))
    listed = ModelledList(held, apart_seconds=apart)

    assert listed.search(range(first, first + due)) == []

    assert listed.found == listed.wanted
    around = 2 * NEAR.total_seconds() / apart
    assert listed.requests <= bound(held, due + round(around))


@pytest.mark.parametrize("arriving", [0, 1, 7])
def test_a_list_that_tells_no_total_is_searched_with_half_as_many_requests_more(arriving: int) -> None:
    listed = ModelledList(100_000, tells_total=False, arriving=arriving)

    assert listed.search(range(70_000, 70_100)) == []

    assert listed.found == listed.wanted
    assert listed.requests <= 3 + 1.5 * log2(70_000 / SIZE) + 1


def test_each_group_that_stands_apart_costs_its_own_way_there() -> None:
    listed = ModelledList(100_000)
    groups = (500, 7_000, 7_900, 50_000, 99_990)

    assert listed.search([place + number for place in groups for number in range(10)]) == []

    assert listed.found == listed.wanted
    assert listed.requests <= 1 + len(groups) * (1 + log2(100_000 / SIZE))


def test_of_a_busy_second_no_more_is_read_than_that() -> None:
    """A thousand rows a minute: of the four minutes that a wrong clock would ask for, nothing is read."""
    listed = ModelledList(50_000, apart_seconds=0.06)

    assert listed.search(range(20_000, 20_050)) == []

    assert listed.requests <= bound(50_000, 50) + 4 / 0.06 / SIZE


def test_one_that_is_not_there_is_looked_for_where_a_wrong_clock_may_have_put_it() -> None:
    listed = ModelledList(10_000, apart_seconds=1)
    skewed = Wanted.of("5000", "5000", listed.created(5_000) + timedelta(seconds=100))
    absent = Wanted.of("none", "none", listed.created(8_000))
    listed.wanted = {"5000", "none"}

    assert Search(listed.read, listed.see).run([skewed, absent]) == []

    assert listed.found == {"5000"}
    assert listed.requests <= 1 + 2 * (1 + log2(100)) + 2 * 240 / SIZE + 2


def test_those_for_which_no_page_was_left_are_named() -> None:
    listed = ModelledList(10_000)
    first, second = (Wanted.of(str(place), "", listed.created(place)) for place in (20, 9_000))
    listed.wanted = {first.id, second.id}

    left = Search(lambda offset: listed.read(offset) if listed.requests < 3 else None, listed.see).run([first, second])

    assert left == [second]


def test_rows_that_vanish_while_paging_hide_no_other() -> None:
    listed = ListOf(range(1_000))
    vanish_before = {3, 6}

    def vanishing(offset: int) -> Page:
        if len(listed.reads) in vanish_before:
            listed.rows = listed.rows[30:]
        return listed.read(offset)

    everything = [wanted(age) for age in range(1_000)]
    listed.wanted = {one.id for one in everything}

    assert Search(vanishing, listed.see).run(everything) == []

    assert {f"{age}@example.com" for age in range(1_000)} == listed.seen
    assert len(listed.reads) == 1_000 // (SIZE - 1) + 1 + len(vanish_before)


def test_a_page_without_a_readable_row_ends_nothing() -> None:
    listed = ListOf([age * 60 for age in range(1_000)])

    def partly(offset: int) -> Page:
        page = listed.read(offset)
        return Page([], None, unreadable=len(page.rows)) if 200 <= offset < 500 else page

    listed.wanted = {str(900 * 60)}

    assert Search(partly, listed.see).run([wanted(900 * 60)]) == []

    assert f"{900 * 60}@example.com" in listed.seen
    assert len(listed.reads) < 20


def test_what_is_new_is_found_on_the_first_page() -> None:
    listed = ListOf([*range(10), *range(10_000, 20_000)])

    listed.search(*(wanted(age) for age in range(10)))

    assert listed.reads == [0]


def test_a_page_that_may_not_be_read_ends_the_search_unfinished() -> None:
    assert Search(lambda offset: None, lambda found: None).run([wanted(5)]) == [wanted(5)]


def test_an_empty_list_holds_nothing() -> None:
    listed = ListOf([])

    assert listed.search(wanted(5), wanted(50)) == []
    assert listed.reads == [0]


def test_near_a_change_of_summer_time_the_list_may_be_an_hour_off() -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    changing = datetime(2026, 10, 25, 2, 30, tzinfo=zone)
    steady = datetime(2026, 10, 28, 2, 30, tzinfo=zone)

    assert changing - Wanted.of("a", "a", changing).earliest == timedelta(hours=1, minutes=2)
    assert steady - Wanted.of("a", "a", steady).earliest == timedelta(minutes=2)
