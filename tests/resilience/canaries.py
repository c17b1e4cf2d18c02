"""Words that stand for every credential and everything personal, and the search for them in whatever came out."""

import html
import json
import unicodedata
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from cryptography.fernet import Fernet

CODE, TOKEN, SECRET = "code-nachtegaal", "token-leeuwerik-77", "secret-wielewaal-77"
FETCHED = "fetched-ijsvogel-0123456789abcdef"
REDIS_PASSWORD, FLOWER_PASSWORD = "putter/p@ss:word", "flower-goudvink"
NEWEST_KEY, OLDER_KEY, OTHER_KEY = (Fernet.generate_key().decode() for _ in range(3))
ADDRESS = "zangvogel.tjilp+7@kooi-kanarie.example"
CUSTOMER = {
    "full_name": "Zoë Geelvink-Çelikbilek",
    "first_name": "Pietertje",
    "last_name": "O'Vogelaar",
    "phone_numbers": ["+31655501999"],
}
PRODUCT = {
    "id": "prod-kwetter",
    "name": "Kwikstaart zaadmengsel",
    "url": "https://winkel-merel.example/p/spreeuw?ref=roodborst",
    "image_url": "https://winkel-merel.example/i/koolmees.png",
    "sku": "sku-tapuit",
    "gtin": "8712345678906",
}
TOTAL = "98765.43"
KEY = "eigen-sleutel-boomklever"

CREDENTIALS = {
    "shop code": CODE,
    "bearer token": TOKEN,
    "client secret": SECRET,
    "fetched token": FETCHED,
    "Redis password": REDIS_PASSWORD,
    "Flower password": FLOWER_PASSWORD,
    "newest encryption key": NEWEST_KEY,
    "older encryption key": OLDER_KEY,
    "other encryption key": OTHER_KEY,
}
PERSONAL = {
    "local part": "zangvogel",
    "rest of the local part": "tjilp+7",
    "domain": "kooi-kanarie.example",
    "full name": "Geelvink",
    "second name": "Çelikbilek",
    "first name": "Pietertje",
    "last name": "O'Vogelaar",
    "phone number": "55501999",
    "product's id": "prod-kwetter",
    "product's name": "Kwikstaart",
    "product's kind": "zaadmengsel",
    "product's shop": "winkel-merel",
    "product's page": "spreeuw",
    "product's query": "roodborst",
    "product's image": "koolmees",
    "product's sku": "sku-tapuit",
    "product's gtin": "8712345678906",
    "order's total": TOTAL,
    "idempotency key": "boomklever",
}
CANARIES = CREDENTIALS | PERSONAL
# Shorter runs of base64 are found by chance.
LEAST_BASE64 = 8

IN_ANY_CASE: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "in a URL": lambda text: quote(text, safe=""),
    "in a form": quote_plus,
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in JSON twice": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "all escaped": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    "in HTML": html.escape,
    "in a repr": lambda text: repr(text)[1:-1],
    "in a repr of bytes": lambda text: repr(text.encode())[2:-1],
    "in hexadecimal": lambda text: text.encode().hex(),
}


def job(account: str, order: str, **fields: Any) -> dict[str, Any]:
    """A job of which everything but the account and the order number is a canary."""
    return {
        "account": account,
        "email": ADDRESS,
        "order": order,
        "customer": CUSTOMER,
        "order_total": TOTAL,
        "products": [PRODUCT],
        **fields,
    }


def found_in(text: str, canaries: Mapping[str, str] = CANARIES) -> list[str]:
    """Which canaries stand in `text`, in any of the forms and in any case, or in base64."""
    folded = text.casefold()
    return [
        name
        for name, canary in canaries.items()
        if any(form(canary).casefold() in folded for form in IN_ANY_CASE.values())
        or any(run in text for run in in_base64(canary))
    ]


def leaks(texts: Mapping[str, str], canaries: Mapping[str, str] = CANARIES) -> dict[str, list[str]]:
    """The places of `texts` in which canaries stand, and which."""
    return {place: found for place, text in texts.items() if (found := found_in(text, canaries))}


def in_base64(text: str) -> set[str]:
    """What stands in base64 wherever `text` stands in what was encoded: three runs, by where in three bytes it
    begins."""
    raw = text.encode()
    runs = set()
    for shift, first in enumerate((0, 2, 3)):
        whole = (shift + len(raw)) * 8 // 6
        for encode in (b64encode, urlsafe_b64encode):
            runs.add(encode(b"\0" * shift + raw).decode()[first:whole])
    return {run for run in runs if len(run) >= LEAST_BASE64}
