"""Everything at once, over thousands of invitations. In the long version only."""

import random
import time
from itertools import cycle

import pytest

from tests.integration.deployment import Deployment, within
from tests.resilience.messages import doorbell
from tests.resilience.report import Row
from tests.resilience.storm import ACCOUNTS, Storm, by_inbox

SIZE, BATCH = 5_000, 500
THREADS = 5
LIMITS = {"shop_nl": "60/second", "portal": "100/second", "reviews": None}


class Chaos:
    """One fault after another. `killed` counts the workers."""

    def __init__(self, deployment: Deployment, storm: Storm) -> None:
        self.killed = 0
        self._deployment, self._storm = deployment, storm
        self._chance = random.Random(4)
        self._workers = deployment.start_workers(3, CONCURRENCY=str(THREADS))
        self._beat = deployment.start_beat()
        self._faults = cycle([self.kill_worker, self.ring, self.cut_connections, self.kill_beat])

    def strike(self) -> None:
        time.sleep(self._chance.uniform(0, 0.5))
        next(self._faults)()
        self._storm.hit()
        self._storm.healed()

    def kill_worker(self) -> None:
        self._workers.pop(0).kill()
        self.killed += 1
        self._workers += self._deployment.start_workers(1, CONCURRENCY=str(THREADS))

    def ring(self) -> None:
        for account in ACCOUNTS:
            for invitation in self._deployment.redis.zrange(f"invitations:inflight:{account}", 0, -1):
                self._deployment.redis.lpush("invitations", doorbell("invitations", str(invitation)))

    def cut_connections(self) -> None:
        self._deployment.redis.client_kill_filter(_type="normal", skipme=True)

    def kill_beat(self) -> None:
        self._beat.kill()
        self._beat = self._deployment.start_beat()


@pytest.fixture
def limited(deployment: Deployment) -> Deployment:
    """Two of the three accounts under a limit, which the provider enforces."""
    deployment.variables |= {"RETRIEVE_SECONDS": "5"}
    for name, limit in LIMITS.items():
        if limit:
            deployment.add_account(name, **{**deployment.accounts[name], "limit": limit})
            deployment.simulator.control(account=deployment.key_at_provider(name), limit=limit)
    return deployment


@pytest.mark.timeout(240)
def test_everything_at_once(limited: Deployment, rows: list[Row]) -> None:
    storm = Storm(limited, SIZE)
    chaos = Chaos(limited, storm)
    for start in range(0, storm.size, BATCH):
        by_inbox(limited, storm.jobs[start : start + BATCH])
        storm.wait_for(0.9 * start / storm.size)
        chaos.strike()
        chaos.strike()
    within(lambda: storm.delivered == storm.size, "all delivered", seconds=120)
    storm.took([receipt.id for receipt in limited.accept(*storm.jobs)])
    row = storm.end("everything at once")
    rows.append(row)
    assert row.lost == 0
    assert row.repeated <= chaos.killed * THREADS
