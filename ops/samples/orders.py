"""Three hundred orders over all three providers, for the demo: the same at every run, none of a real person.

`python -m ops.samples.orders` prints the file that lies beside this one.
"""

import csv
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

ORDERS = 300
FILE = Path(__file__).with_name("invitations.csv")
TURNS = ("shop_nl", "reviews", "portal", "shop_nl", "reviews")
COLUMNS = (
    *("account", "email", "order", "language", "first_name", "last_name", "phone_numbers", "order_total"),
    *(
        "products",
        "delay",
        "reminder",
        "filtercode",
        "client",
        "platform_version",
        "plugin_version",
        "invite",
    ),
)
FIRST_NAMES = (
    "Anna",
    "Bram",
    "Chloé",
    "Daan",
    "Emma",
    "Finn",
    "Greta",
    "Hugo",
    "Inès",
    "Jan",
    "Karin",
    "Lars",
)
LAST_NAMES = ("Bakker", "Dubois", "Jansen", "Müller", "Smit", "Visser", "de Vries")
LANGUAGES = ("nl", "de", "fr", "en")
REGIONS = ("north", "east", "south", "west")
GOODS = ("Red Delicious", "Conference Pear", "Morello Cherry", "Mirabelle Plum", "White Peach")

Cells = dict[str, str]


def write_orders(out: TextIO) -> None:
    """Writes the file: a header, and a line for each order."""
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(orders())


def orders() -> Iterator[Cells]:
    """The cells of each order by column. Accounts take turns; each provider gets every field it carries."""
    details = {"shop_nl": _webwinkelkeur, "portal": _wemasy, "reviews": _feedbackcompany}
    numbers: Counter[str] = Counter()
    for index in range(ORDERS):
        account = TURNS[index % len(TURNS)]
        number = numbers[account]
        numbers[account] += 1
        plain = {
            "account": account,
            "email": f"customer{index + 1:03}@example.com",
            "order": f"{1001 + index}",
        }
        yield {**plain, **_name(index), "delay": f"{1 + number % 6} seconds", **details[account](number)}


def _name(index: int) -> Cells:
    first, last = FIRST_NAMES[index % len(FIRST_NAMES)], LAST_NAMES[index % len(LAST_NAMES)]
    return {"first_name": first, "last_name": last}


def _webwinkelkeur(number: int) -> Cells:
    """Every tenth has a delay that this provider schedules itself."""
    scheduled = {"delay": "2 days"} if number % 10 == 9 else {}
    return {
        "language": LANGUAGES[number % len(LANGUAGES)],
        "phone_numbers": f"+44 7700 900{number:03}",
        "order_total": f"{20 + number}.95",
        "products": _products(number),
        "client": "demo-shop",
        "platform_version": "2.1",
        "plugin_version": "1.0",
        **scheduled,
    }


def _wemasy(number: int) -> Cells:
    return {"order_total": f"{10 + number}.50"}


def _feedbackcompany(number: int) -> Cells:
    """Every tenth has a delay and a reminder that this provider schedules itself; some are no invitation."""
    detail = {"products": _products(number), "filtercode": REGIONS[number % len(REGIONS)]}
    if number % 25 == 24:
        return {**detail, "delay": "", "invite": "false"}
    if number % 10 == 9:
        return {**detail, "delay": "2 weekdays", "reminder": "12 days"}
    return detail


def _products(number: int) -> str:
    count = 1 + number % 2
    return json.dumps([_product(number + offset) for offset in range(count)], separators=(",", ":"))


def _product(number: int) -> dict[str, str]:
    which = number % len(GOODS)
    return {
        "id": str(which + 1),
        "name": GOODS[which],
        "url": f"https://shop.example/p/{which + 1}",
        "image_url": f"https://shop.example/p/{which + 1}.jpg",
        "sku": f"fruit-{which + 1}",
        "gtin": _gtin_13(which + 1),
    }


def _gtin_13(number: int) -> str:
    """A GTIN of the range that GS1 leaves to shops themselves (it begins with 2), with its check digit."""
    digits = f"2{number:011}"
    weighed = sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(digits))
    return f"{digits}{-weighed % 10}"


if __name__ == "__main__":
    write_orders(sys.stdout)
