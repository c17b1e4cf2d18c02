"""Stands for redis-cli, which not every machine has: -u ADDRESS COMMAND ARGUMENTS."""

import json
import sys
from typing import Any

from redis import Redis


def main(option: str, address: str, *command: str) -> None:
    if option != "-u":
        raise SystemExit("expected -u and an address first")
    with Redis.from_url(address, decode_responses=True) as client:
        answer: Any = client.execute_command(*command)
    print(json.dumps(answer))


main(*sys.argv[1:])
