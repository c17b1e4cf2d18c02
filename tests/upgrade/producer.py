"""Enqueues jobs until a file appears, by whichever version PYTHONPATH names: `python -P producer.py NAME FILE`.

Prints how many it enqueued.
"""

import sys
import time
from itertools import count
from pathlib import Path

from tasks.enqueue import enqueue_many

ACCOUNTS = ("shop_nl", "portal", "reviews")
AT_ONCE = 6
PAUSE_SECONDS = 0.1


def main(name: str, stop: Path) -> None:
    enqueued = 0
    for first in count(step=AT_ONCE):
        if stop.exists():
            break
        numbers = range(first, first + AT_ONCE)
        jobs = [
            {"account": ACCOUNTS[one % len(ACCOUNTS)], "email": f"{name}.{one}@example.com", "order": f"{name}-{one}"}
            for one in numbers
        ]
        summary = enqueue_many(jobs)
        if summary.accepted != AT_ONCE:
            raise SystemExit(f"{name}: {summary.accepted} of {AT_ONCE} accepted, {len(summary.refused)} refused")
        enqueued += AT_ONCE
        time.sleep(PAUSE_SECONDS)
    print(enqueued)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
