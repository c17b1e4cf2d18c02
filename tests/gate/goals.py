"""How near the provider's limit the gate has to come, and with how few refusals."""

from dataclasses import dataclass

from tests.gate.scenario import Figures


@dataclass(frozen=True, slots=True)
class Goal:
    """`of_floor`: the time until all are accepted, in floors. `refused`: per thousand accepted calls."""

    of_floor: float
    refused: float

    def is_met(self, figures: Figures) -> bool:
        return figures.of_floor <= self.of_floor and figures.refused <= self.refused and figures.inside == 0


RIGHT = Goal(1.03, 5)
UNKNOWN = Goal(1.10, 20)
TOO_HIGH = Goal(1.15, 30)
SHARED = Goal(1.15, 30)
