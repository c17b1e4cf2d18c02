"""One spelling for every way in which one address is written."""

import unicodedata
from contextlib import suppress


def one_spelling(email: str) -> str:
    """The same text for an address in any case, in either form of Unicode (NFC, NFD), and with the domain in letters of
    its language or in ASCII (`xn--…`)."""
    if email.isascii():
        return email.casefold()
    local, at, domain = unicodedata.normalize("NFC", email).casefold().rpartition("@")
    with suppress(UnicodeError):
        domain = domain.encode("idna").decode()
    return local + at + domain
