"""The time line of one invitation, in words."""

from dataclasses import replace

from ops.cli.timeline import next_step, timeline
from worker.records import Change, Record

CAME_IN = 1_782_907_200_000
DAY_MS = 86_400_000
TOO_MANY = "the provider answered 429: too many calls (Retry-After: 60 s)"


def record(*changes: tuple[int, str, str], due_in_ms: int = 0) -> Record:
    """Changes are given by seconds after it came in."""
    history = tuple(Change(CAME_IN + 1_000 * after, state, reason) for after, state, reason in changes)
    return Record(
        id="1",
        account="shop_nl",
        order="",
        state=history[-1].state,
        reason="",
        attempts=0,
        throttled=0,
        created_at=CAME_IN,
        due_at=CAME_IN + due_in_ms,
        accepted_at=None,
        sends_at=None,
        sent_at=None,
        provider_reference=None,
        forgotten_at=None,
        history=history,
        first_due_at=CAME_IN + due_in_ms,
    )


def told(one: Record) -> list[tuple[int, str]]:
    return [((at - CAME_IN) // 1_000, words) for at, words in timeline(one)]


def test_what_was_rate_limited_and_failed_is_told_with_how_long_it_waited() -> None:
    one = record(
        (0, "queued", ""),
        (1, "delivering", ""),
        (1, "queued", TOO_MANY),
        (61, "delivering", ""),
        (62, "queued", "timed out"),
        (72, "delivering", ""),
        (73, "accepted", ""),
        (90, "sent", ""),
    )

    assert told(one) == [
        (0, "came in"),
        (1, "a worker calls the provider"),
        (1, f"rate limited, which costs no attempt: {TOO_MANY}"),
        (61, "tried again after 1 min"),
        (62, "back in line: timed out"),
        (72, "tried again after 10 s"),
        (73, "accepted by the provider after 3 calls, 1 min 13 s after it was due"),
        (90, "the provider says that it went out"),
    ]


def test_one_that_waits_for_its_day_says_when_that_is() -> None:
    one = record((0, "queued", ""), due_in_ms=DAY_MS)

    assert told(one) == [(0, "came in, due 2026-07-02 12:00:00 UTC")]
    assert next_step(one, CAME_IN) == "due in 1 d"
    assert next_step(one, CAME_IN + DAY_MS + 5_000) == "due for 5 s: waits for its turn"


def test_what_was_replayed_counts_its_calls_afresh_and_is_late_since_then() -> None:
    one = record(
        (0, "queued", ""),
        (1, "delivering", ""),
        (2, "failed", "gave up"),
        (99, "queued", "replayed"),
        (99, "delivering", ""),
        (100, "accepted", ""),
    )

    assert told(replace(one, first_due_at=CAME_IN + 99_000)) == [
        (0, "came in"),
        (1, "a worker calls the provider"),
        (2, "failed: attempts or time ran out: gave up"),
        (99, "lined up afresh by a person (replayed)"),
        (99, "a worker calls the provider"),
        (100, "accepted by the provider, 1 s after it was due"),
    ]
    assert next_step(one, CAME_IN) == ""


def test_where_the_first_changes_are_no_longer_kept_that_is_said() -> None:
    one = record((50, "queued", "timed out"), (60, "delivering", ""))

    assert told(one) == [
        (0, "came in; what happened then is no longer kept"),
        (50, "back in line: timed out"),
        (60, "a worker calls the provider"),
    ]
