"""Small questions about single values, as the providers' servers would ask them."""

import re

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)*")
_URL = re.compile(r"https?://[^\s/?#]+(?:[/?#]\S*)?", re.IGNORECASE)
_GTIN_LENGTH = 13


def is_text(value: object, at_most: int) -> bool:
    """A string that is not blank and has at most so many characters."""
    return isinstance(value, str) and bool(value.strip()) and len(value) <= at_most


def is_email(value: object, at_most: int) -> bool:
    """A string with a local part and a domain, no white space, and at most so many characters."""
    return isinstance(value, str) and len(value) <= at_most and _EMAIL.fullmatch(value) is not None


def is_url(value: object, at_most: int) -> bool:
    """An http or https URL with a host and at most so many characters."""
    return isinstance(value, str) and len(value) <= at_most and _URL.fullmatch(value) is not None


def is_count(value: object) -> bool:
    """A non-negative integer; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_gtin13(value: object) -> bool:
    """Thirteen digits of which the last is the GS1 check digit."""
    if not (isinstance(value, str) and len(value) == _GTIN_LENGTH and value.isascii() and value.isdigit()):
        return False
    digits = [int(digit) for digit in value]
    return (sum(digits[0::2]) + 3 * sum(digits[1::2])) % 10 == 0
