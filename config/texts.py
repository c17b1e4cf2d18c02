"""What may stand in a text that goes into a header, a form, a log line or onto a terminal."""

import re

STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters (C0, C1), Unicode's line breaks, and what turns the direction of writing around."""
NOT_ONE_LINE = "expected one line without control characters"
_TOKEN = re.compile(r"[\x21-\x7e]+")


def one_line(value: str) -> str:
    """The text itself. Raises ValueError where it could begin a new line or steer what shows it."""
    if STEERING.search(value):
        raise ValueError(NOT_ONE_LINE)
    return value


def header_token(value: str) -> str:
    """The text itself. Raises ValueError where a header could not carry it as it is."""
    if not _TOKEN.fullmatch(value):
        raise ValueError("expected letters, digits and signs of ASCII without spaces or line breaks")
    return value


def escaped(text: str) -> str:
    r"""`text` on one line: what could steer a terminal or forge a line stands there as \n, \x1b and the like."""
    return STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
