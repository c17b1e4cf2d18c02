"""What the simulator can be told at its start, and that nonsense is refused by field."""

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from ops.simulator import SimulatorOptions


def test_it_listens_on_loopback_without_limits_or_faults_unless_told_otherwise() -> None:
    options = SimulatorOptions()

    assert (options.host, options.port) == ("127.0.0.1", 8900)
    assert (options.limit, options.latency_ms, options.fail) == (None, 0, 0.0)


def test_options_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        SimulatorOptions().port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", ""),
        ("port", -1),
        ("port", 65_536),
        ("limit", "many"),
        ("window", "tumbling"),
        ("latency_ms", -1),
        ("fail", 1.01),
        ("fail", -0.01),
        ("fail", float("nan")),
        ("send_after", -1.0),
        ("day_seconds", 0.0),
        ("retry_after", "minutes"),
        ("wwk_error_code", 199),
        ("wemasy_shape", "round"),
        ("limit_header", "per_hour"),
        ("token_seconds", 0.0),
        ("max_records", 0),
        ("huge_bytes", 0),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_field(field: str, value: object) -> None:
    bad: dict[str, Any] = {field: value}

    with pytest.raises(ValueError, match=f"^{field}: expected "):
        SimulatorOptions(**bad)
