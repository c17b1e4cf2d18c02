"""What may be repeated of a provider's words: no address, no name, no secret."""

import re

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


def quote(message: object, job: Job | None = None, account: BaseAccount | None = None) -> str:
    """A provider's `message` on one line of at most 200 characters, without e-mail addresses, web addresses,
    telephone numbers, long opaque words (tokens), anything personal in `job` and the secrets of `account`."""
    text = message if isinstance(message, str) else ""
    if len(text) > _READ_CHARS:
        text = text[:_READ_CHARS].rpartition(" ")[0]
    for secret in _secrets(account):
        text = text.replace(secret, _CUT)
    for value in _personal(job):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", _CUT, text, flags=re.IGNORECASE)
    for pattern in (_EMAIL, _URL, _PHONE, _OPAQUE):
        text = pattern.sub(_CUT, text)
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    text = text if len(text) <= MAX_CHARS else text[: MAX_CHARS - 1] + _CUT
    return text or NOTHING_SAID


def _secrets(account: BaseAccount | None) -> list[str]:
    values = [getattr(account, name) for name in type(account).model_fields] if account else []
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]


def _personal(job: Job | None) -> list[str]:
    """The longest first, so that nothing is left over of a whole value after its parts."""
    if job is None:
        return []
    customer = job.customer
    names = [name for name in (customer.full_name, customer.first_name, customer.last_name) if name]
    parts = [part for value in (*names, job.email.partition("@")[0]) for part in re.split(r"[\W_]+", value)]
    values = {job.email, *customer.phone_numbers, *names, *(part for part in parts if len(part) > 1)}
    return sorted(values, key=len, reverse=True)
