"""A ledger with two accounts, for the tests of its steps."""

import pytest
from redis import Redis

from tests.property.desk import Desk, account


@pytest.fixture
def line(real_redis: Redis) -> Desk:
    """The accounts `a` and `b` have no limit and nothing in line. A module may have its own."""
    return Desk(real_redis, account("a"), account("b"))
