"""Errors of usage, as a person reads them: what was expected, and nothing personal that stood on the line."""

import re
from importlib import import_module

WORDS = (
    (re.compile(r"Value error, "), ""),
    (re.compile(r"Got unexpected extra argument.*", re.DOTALL), "got an argument too many; quote a text with spaces"),
    (re.compile(r"Input should be a valid integer.*", re.DOTALL), "expected a whole number"),
    (re.compile(r"Input should be a valid number.*", re.DOTALL), "expected a number"),
    (re.compile(r"Input should be greater than or equal to (\S+)"), r"expected \1 or more"),
    (re.compile(r"Input should be less than or equal to (\S+)"), r"expected \1 or less"),
)
EXAMPLE = "jane@example.com"
"""In our own messages: nobody's."""


def mend(error: Exception) -> None:
    """Puts the message of an error of Typer's, which has no public class of its own, into our words."""
    message = getattr(error, "message", None)
    if not isinstance(message, str):
        return
    for pattern, words in WORDS:
        message = pattern.sub(words, message)
    if "@" in message or "://" in message:
        # Loaded here, for it loads much.
        scrub = import_module("worker.masking").scrub
        message = EXAMPLE.join(map(scrub, message.split(EXAMPLE)))
    vars(error)["message"] = message
