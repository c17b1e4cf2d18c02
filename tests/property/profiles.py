"""How long the state machine looks: `ci` always at the same examples, `nightly` at many new ones."""

import os

from hypothesis import HealthCheck, settings

_CI = settings(
    max_examples=70,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
PROFILES = {
    "ci": _CI,
    "nightly": settings(_CI, max_examples=3_000, stateful_step_count=80, derandomize=False, print_blob=True),
}
PROFILE = PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "ci")]
