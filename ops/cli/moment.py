"""Points in time, as options name them: a date, a time of day, or how long ago."""

from contextlib import suppress
from datetime import UTC, datetime

import typer

from config.units import parse_duration

MOMENT_HELP = 'a time such as "2026-07-01", "2026-07-01 12:00" (UTC), "2026-07-01T12:00+02:00", or "2h" or "3d" ago'


def moment_ms(text: str, now: int, *, param: str) -> int:
    """Milliseconds since the epoch of a moment; one without a zone is in UTC, an age counts back from `now` (ms).

    Raises:
        typer.BadParameter: naming the forms.
    """
    with suppress(ValueError):
        return now - parse_duration(text)
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(f"expected {MOMENT_HELP}", param_hint=param) from None
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)
