"""A process that cannot work with its configuration ends at its start, and says all that is to be mended."""

import pytest

from tests.integration.deployment import Deployment, within
from tests.integration.processes import Running, celery

SECRET = "secret-that-nobody-may-see"

SETTINGS = {
    "REDIS_URL": (f"http://:{SECRET}@127.0.0.1:1/0", "an address that begins with redis://, rediss:// or sentinel://"),
    "CONCURRENCY": ("many", "expected a whole number"),
    "LEASE_SECONDS": ("0", "expected 2 or more"),
    "METRICS_PORT": ("70000", "expected 65535 or less"),
    "LOG_FORMAT": ("xml", "'console' or 'json'"),
    "ENCRYPTION_KEYS": (SECRET, "expected Fernet keys"),
}
ACCOUNTS = {
    "ACCOUNTS__PORTAL__TIMOUT": (SECRET, "is not a field of an account of this provider"),
    "ACCOUNTS__PORTAL__LIMIT": (SECRET, 'expected a rate such as "60/minute"'),
    "ACCOUNTS__PORTAL__BASE_URL": (f"http://api.example.com/?{SECRET}", "without credentials or query"),
    "ACCOUNTS__SHOP_NL__SHOP_ID": (SECRET, "expected a whole number"),
    "ACCOUNTS__SHOP_NL__TIMEZONE": ("Europe/Nowhere", "expected the name of a time zone"),
    "ACCOUNTS__REVIEWS__ACCESS_TOKEN": (SECRET, "not both"),
}
SINGLE = {
    "SECRETS_DIR": ("nowhere", "expected a folder that exists"),
    "ACCOUNTS_FILE": ("nowhere.toml", "nowhere.toml: does not exist"),
}
PROCESSES = {
    "worker, settings": ("worker", SETTINGS),
    "worker, accounts": ("worker", ACCOUNTS),
    "worker, secrets": ("worker", {"SECRETS_DIR": SINGLE["SECRETS_DIR"]}),
    "worker, no accounts": ("worker", {"ACCOUNTS_FILE": SINGLE["ACCOUNTS_FILE"]}),
    "beat, accounts": ("beat", ACCOUNTS),
    "flower, settings": ("flower", SETTINGS),
}
NAMED_IN_WHOLE = "ACCOUNTS__REVIEWS__ACCESS_TOKEN"


@pytest.fixture(scope="module")
def ended(deployment: Deployment) -> dict[str, Running]:
    """Every process, after its end."""
    started = {
        name: deployment.start(name, celery(process), **{variable: bad for variable, (bad, _) in faults.items()})
        for name, (process, faults) in PROCESSES.items()
    }
    for running in started.values():
        running.end()
    return started


@pytest.mark.parametrize("name", PROCESSES)
def test_every_bad_value_is_named_with_what_was_expected(ended: dict[str, Running], name: str) -> None:
    running, (_, faults) = ended[name], PROCESSES[name]
    assert running.end() == 1
    lines = [line for line in running.text.splitlines() if line.startswith("  - ")]
    for variable, (_, expected) in faults.items():
        about = "accounts.reviews" if variable == NAMED_IN_WHOLE else f"INVITATIONS_{variable}"
        assert [line for line in lines if about in line and expected in line] != [], variable
    assert len(lines) == len(faults)


@pytest.mark.parametrize("name", PROCESSES)
def test_it_ends_without_a_traceback_or_a_secret(ended: dict[str, Running], name: str) -> None:
    assert "The configuration cannot be used:" in ended[name].text
    assert "Traceback" not in ended[name].text
    assert SECRET not in ended[name].text


def test_a_timeout_that_outlasts_the_lease_is_refused(deployment: Deployment) -> None:
    running = deployment.start("timeout", celery("worker"), LEASE_SECONDS="30")
    assert running.end() == 1
    for account in deployment.accounts:
        assert f"accounts.{account}.timeout: expected less than INVITATIONS_LEASE_SECONDS (30)" in running.text


def test_a_worker_that_cannot_open_what_is_in_redis_does_not_start(deployment: Deployment) -> None:
    """Else it would take every job, fail at each, and the jobs would be gone."""
    deployment.redis.set("invitations:id_key", "fernet:written-with-another-key")
    running = deployment.start("keys", celery("worker"))
    assert running.end() == 1
    assert "INVITATIONS_ENCRYPTION_KEYS: expected to include the key" in running.text
    assert "Traceback" not in running.text


@pytest.mark.parametrize("process", ["worker", "beat"])
def test_a_misspelt_setting_is_told_at_the_start(deployment: Deployment, process: str) -> None:
    running = deployment.start(f"{process}, misspelt", celery(process), REDIS_UR=SECRET)
    within(lambda: "setting_unknown" in running.text, "a warning")
    running.stop()

    (line,) = (line for line in running.text.splitlines() if "setting_unknown" in line)
    assert "INVITATIONS_REDIS_UR " in line + " "
    assert "did you mean INVITATIONS_REDIS_URL?" in line
    assert SECRET not in running.text
