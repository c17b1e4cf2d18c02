"""The heart: whatever happens in whatever order, nothing is lost, doubled, too early or left asleep."""

import pytest
from fakeredis import FakeRedis
from hypothesis.stateful import run_state_machine_as_test
from redis import Redis

from tests.property.machine import LedgerMachine
from tests.property.profiles import PROFILE

# Seconds are enough; making a failure small takes minutes, and a nightly run hours.
pytestmark = pytest.mark.timeout(7_200)


def test_every_interleaving_on_a_real_server(real_redis: Redis) -> None:
    _interleave(real_redis)


def test_every_interleaving_on_fakeredis() -> None:
    with FakeRedis(decode_responses=True) as redis:
        _interleave(redis)


def _interleave(redis: Redis) -> None:
    class Machine(LedgerMachine):
        client = redis

    run_state_machine_as_test(Machine, settings=PROFILE)
