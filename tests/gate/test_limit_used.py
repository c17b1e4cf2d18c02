"""How much of a provider's limit is used, at the price of how many refusals, in virtual time: never a timed test.

The whole table: `python -m tests.gate.table`.
"""

import pytest
from redis import Redis

from tests.gate.goals import RIGHT, SHARED, TOO_HIGH, UNKNOWN, Goal
from tests.gate.scenario import Scenario
from tests.gate.world import World

SECOND, SIX, MINUTE = "20/second", "60/6s", "60/minute"

ROWS: list[tuple[Goal, Scenario]] = [
    (RIGHT, Scenario(SECOND, "sliding", configured=SECOND, workers=1, count=300)),
    (RIGHT, Scenario(SECOND, "sliding", configured=SECOND, headers="window", workers=8)),
    (RIGHT, Scenario(SECOND, "sliding", configured=SECOND, headers="per_minute", cold_ms=100)),
    (RIGHT, Scenario(SIX, "fixed", configured=SIX, headers="per_minute", count=300)),
    (RIGHT, Scenario(MINUTE, "bucket", configured=MINUTE, count=300)),
    (UNKNOWN, Scenario(SECOND, "fixed")),
    (UNKNOWN, Scenario(SIX, "sliding")),
    (UNKNOWN, Scenario(SECOND, "bucket", headers="window", count=300)),
    (UNKNOWN, Scenario(SIX, "fixed", headers="window", count=300)),
    (UNKNOWN, Scenario(SIX, "sliding", headers="per_minute", count=300)),
    (TOO_HIGH, Scenario(SECOND, "sliding", configured="40/second")),
    (TOO_HIGH, Scenario(SIX, "bucket", configured="120/6s")),
    (
        TOO_HIGH,
        Scenario(MINUTE, "bucket", configured="120/minute", latency_ms=2, out_ms=1, stray_ms=5, count=300, seed=2),
    ),
    (
        SHARED,
        Scenario(
            MINUTE, "bucket", configured=MINUTE, other_share=0.5, latency_ms=2, out_ms=1, stray_ms=5, count=300, seed=4
        ),
    ),
    (SHARED, Scenario(SECOND, "fixed", configured=SECOND, other_share=0.5)),
    (SHARED, Scenario(SIX, "sliding", configured=SIX, headers="window", other_share=0.5, count=300)),
]


@pytest.mark.parametrize(("goal", "scenario"), ROWS, ids=[scenario.name for _, scenario in ROWS])
def test_the_limit_is_used_and_seldom_overrun(real_redis: Redis, goal: Goal, scenario: Scenario) -> None:
    figures = World(real_redis, scenario).run()

    assert figures.accepted == scenario.count
    assert goal.is_met(figures), f"{figures} against {goal}"


def test_a_limit_that_is_not_kept_is_seen_here(real_redis: Redis) -> None:
    scenario = Scenario(SECOND, "sliding", configured="2000/second", count=100)

    figures = World(real_redis, scenario).run()

    assert not RIGHT.is_met(figures)
