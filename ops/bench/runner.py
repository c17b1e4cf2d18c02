"""Runs scenarios, each subject in turn, as often as asked."""

import os
from collections.abc import Callable, Iterator, Sequence

from ops.bench.bare import Bare
from ops.bench.figures import Figure
from ops.bench.ours import Ours
from ops.bench.peer import Peer
from ops.bench.peers.enqueuer import PeerError
from ops.bench.peers.job_system import JobSystem
from ops.bench.place import Place
from ops.bench.processes import BenchError
from ops.bench.scenarios import Scenario

OURS_IN_ENVIRONMENT = ("INVITATIONS_", "CELERY_")


def measure(
    place: Place, scenarios: Sequence[Scenario], others: Sequence[Peer], runs: int, tell: Callable[..., None]
) -> Iterator[tuple[Scenario, list[Figure]]]:
    """The figures of each scenario and run as they come. A subject that fails is told of, and has no figures."""
    for variable in [name for name in os.environ if name.startswith(OURS_IN_ENVIRONMENT)]:
        del os.environ[variable]
    try:
        for number in range(runs):
            for scenario in (one for one in scenarios if one.again or not number):
                for subject in _subjects(place, scenario, others):
                    tell(f"{scenario.name}, run {number + 1}: {subject.name}")
                    try:
                        yield scenario, list(scenario.measure(place, subject))
                    except (BenchError, PeerError) as error:
                        tell(f"{subject.name} failed in {scenario.name}: {error}", failure=True)
    finally:
        for peer in others:
            if isinstance(peer, JobSystem):
                peer.close()


def _subjects(place: Place, scenario: Scenario, others: Sequence[Peer]) -> list[Peer]:
    subjects: list[Peer] = [Ours(place.folder)]
    if scenario.bare:
        subjects.append(Bare())
    if scenario.peers:
        subjects += others
    return subjects
