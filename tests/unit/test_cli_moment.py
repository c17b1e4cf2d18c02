"""Points in time as options name them."""

import pytest
import typer

from ops.cli.moment import moment_ms

NOON_MS = 1_782_907_200_000


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-07-01T12:00:00Z", NOON_MS),
        ("2026-07-01 12:00", NOON_MS),
        ("2026-07-01", NOON_MS - 12 * 3_600_000),
        ("2026-07-01T14:00+02:00", NOON_MS),
        (" 2026-07-01T12:00:00.250Z ", NOON_MS + 250),
        ("90s", NOON_MS - 90_000),
        ("15m", NOON_MS - 900_000),
        ("2h", NOON_MS - 7_200_000),
        ("3d", NOON_MS - 3 * 86_400_000),
    ],
)
def test_a_moment(text: str, ms: int) -> None:
    assert moment_ms(text, NOON_MS, param="--since") == ms


@pytest.mark.parametrize("text", ["", "yesterday", "12:00", "2026-13-01", "3 weeks", "0d", "1782907200"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="expected a time such as"):
        moment_ms(text, NOON_MS, param="--since")
