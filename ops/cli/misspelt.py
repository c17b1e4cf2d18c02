"""Settings whose names are almost those of a setting: they would be passed over in silence."""

import os
from collections.abc import Iterator
from difflib import get_close_matches

from dotenv import dotenv_values

from config.settings import PREFIX, Settings

ALIKE = 0.8
ALMOST = PREFIX.removesuffix("S_")
OF_ACCOUNTS = f"{PREFIX}ACCOUNTS__"


def misspelt() -> Iterator[str]:
    """A line for each variable of the environment or of `.env` that is meant for a setting and is none."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    for name in sorted({*os.environ, *dotenv_values(".env")}):
        upper = name.upper()
        if not upper.startswith(ALMOST) or upper in known or upper.startswith(OF_ACCOUNTS):
            continue
        if close := get_close_matches(upper, known, 1, ALIKE):
            yield f"{name} is no setting, and does nothing: did you mean {close[0]}?"
