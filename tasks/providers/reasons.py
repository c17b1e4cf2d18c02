"""What may be repeated of a provider's words: no address, no name, no secret."""

import html
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

from pydantic import SecretStr

from config.accounts import BaseAccount
from tasks.job import Job

MAX_CHARS = 200
NOTHING_SAID = "(no reason given)"
_READ_CHARS = 1000
_CUT = "…"
_EMAIL = re.compile(r"\S+(@|%40)\S+", re.IGNORECASE)
_URL = re.compile(r"\S*(://|www\.)\S*", re.IGNORECASE)
_PHONE = re.compile(r"\+?\d(?:[\s()./-]*\d){6,}")
_OPAQUE = re.compile(r"[\w+/=.~-]{20,}")
_ESCAPE = re.compile(r"\\+u([0-9a-f]{4})", re.IGNORECASE)


def quote(message: object, job: Job | None = None, account: BaseAccount | None = None) -> str:
    """A provider's `message` on one line of at most 200 characters, without e-mail addresses, web addresses,
    telephone numbers, long opaque words (tokens), anything personal in `job`, what was ordered, and the secrets of
    `account`."""
    text = _decoded(message) if isinstance(message, str) else ""
    if len(text) > _READ_CHARS:
        text = text[:_READ_CHARS].rpartition(" ")[0]
    for secret in _secrets(account):
        text = re.sub(re.escape(secret), _CUT, text, flags=re.IGNORECASE)
    folded = text.casefold()
    # An order may have a thousand products, and few of their words are in any message.
    for value in (value for value in _personal(job) if value.casefold() in folded):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", _CUT, text, flags=re.IGNORECASE)
    for pattern in (_EMAIL, _URL, _PHONE, _OPAQUE):
        text = pattern.sub(_CUT, text)
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    text = text if len(text) <= MAX_CHARS else text[: MAX_CHARS - 1] + _CUT
    return text or NOTHING_SAID


def _decoded(text: str) -> str:
    """Providers repeat what they were sent in the encoding in which it came, or in that of their own answer."""
    for _ in range(2):
        text = html.unescape(unquote(_ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)))
    return unicodedata.normalize("NFC", text)


def _secrets(account: BaseAccount | None) -> list[str]:
    values = [getattr(account, name) for name in type(account).model_fields] if account else []
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]


def _personal(job: Job | None) -> list[str]:
    """The longest first, so that nothing is left over of a whole value after its parts."""
    if job is None:
        return []
    values = {unicodedata.normalize("NFC", value) for value in (*_of_customer(job), *_of_order(job)) if value}
    return sorted(values, key=len, reverse=True)


def _of_customer(job: Job) -> Iterator[str]:
    customer = job.customer
    names = [name for name in (customer.full_name, customer.first_name, customer.last_name) if name]
    local, _, domain = job.email.rpartition("@")
    yield from (job.email, domain, *customer.phone_numbers, *names)
    for value in (*names, local):
        yield from _words(value, 2)


def _of_order(job: Job) -> Iterator[str]:
    yield str(job.order_total or "")
    products = (value for product in job.products for value in product.model_dump(exclude_none=True).values())
    for value in (job.idempotency_key or "", *products):
        yield value
        yield from _words(value, 4)


def _words(value: str, least: int) -> Iterator[str]:
    return (word for word in re.split(r"[\W_]+", value) if len(word) >= least)
