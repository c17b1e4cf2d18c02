"""How long single jobs take from enqueuing to the provider."""

import math
import time
from collections.abc import Callable, Sequence

from ops.bench.ours import Job
from ops.bench.place import Place

NS_PER_SECOND = 1_000_000_000
PATIENCE_SECONDS = 30.0


def latencies(
    place: Place, token: str, jobs: Sequence[Job], every: float, enqueue: Callable[[Sequence[Job]], float]
) -> list[float]:
    """Enqueues one job after the other, `every` so many seconds. Returns for each the seconds from the beginning of its
    enqueuing to the first byte of its call, sorted; infinite for a call that does not come within half a minute."""
    began: dict[str, int] = {}
    due = time.monotonic()
    for job in jobs:
        time.sleep(max(0.0, due - time.monotonic()))
        seconds = enqueue([job])
        began[str(job["email"])] = time.monotonic_ns() - round(seconds * NS_PER_SECOND)
        due += every
    place.provider.wait_for({token: len(jobs)}, PATIENCE_SECONDS)
    arrived = place.provider.accepted(token)
    return sorted((arrived[one] - at) / NS_PER_SECOND if one in arrived else math.inf for one, at in began.items())


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the sorted `values` do not exceed."""
    return values[max(0, math.ceil(share * len(values)) - 1)]
