"""Encryption keys are changed while workers run, in the three steps of the README: nothing is lost, nothing burnt."""

import json
import sys

from cryptography.fernet import Fernet

from config.accounts_file import load_accounts
from config.settings import load_settings
from tasks.acceptance import Acceptance
from tests.integration.deployment import Deployment, Job, job, within
from tests.integration.processes import celery
from worker.ledger import Ledger
from worker.vault import Identity, Vault

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
BOTH = f"{NEW},{OLD}"
WAITS = "this worker's INVITATIONS_ENCRYPTION_KEYS lack the key that it was sealed with: see invitations doctor"


def send(deployment: Deployment, job: Job, keys: str) -> str:
    """Enqueues it as a process with these keys does. Returns its id."""
    vault = Vault(keys.split(","))
    accounts = load_accounts(load_settings(accounts_file=deployment.accounts_file))
    acceptance = Acceptance(Ledger(deployment.redis), vault, Identity.of(deployment.redis, vault), accounts)
    return acceptance.accept([job])[0].receipt.id


def test_keys_rotate_under_workers_in_three_steps(deployment: Deployment) -> None:
    old = deployment.start_worker(ENCRYPTION_KEYS=OLD)
    assert deployment.wait_for(send(deployment, job("portal", 1), OLD), "accepted").attempts == 0

    # Step 1, half way: the one that is rolled out seals with a key that the one of before lacks.
    sealed_anew = send(deployment, job("portal", 2), BOTH)
    within(lambda: deployment.record(sealed_anew).reason == WAITS, "the worker gave it back")
    assert (deployment.state(sealed_anew), deployment.record(sealed_anew).attempts) == ("queued", 0)
    assert deployment.calls(job("portal", 2)) == []
    both = deployment.start_worker(ENCRYPTION_KEYS=BOTH)
    assert old.stop() == 0
    deployment.redis.zadd("invitations:line:portal", {sealed_anew: 0})
    third = send(deployment, job("portal", 3), BOTH)
    for invitation in (sealed_anew, third):
        assert deployment.wait_for(invitation, "accepted").attempts == 0

    # Step 2.
    command = [sys.executable, "-m", "ops.cli", "doctor", "--reencrypt", "--json"]
    doctor = deployment.start("doctor", command, ENCRYPTION_KEYS=BOTH)
    assert doctor.end() == 0
    assert json.loads(doctor.text) == {"ok": True, "texts": 4, "older": 2, "unreadable": 0}

    # Step 3, beside one of step 2; one of before does not come back.
    deployment.start_worker(ENCRYPTION_KEYS=NEW)
    late = deployment.start("late", celery("worker"), ENCRYPTION_KEYS=OLD)
    assert late.end() == 1
    assert "INVITATIONS_ENCRYPTION_KEYS: expected to include the key" in late.text
    assert "invitations doctor --reencrypt" in late.text
    last = [send(deployment, job("portal", number), keys) for number, keys in ((4, BOTH), (5, NEW))]
    for invitation in last:
        assert deployment.wait_for(invitation, "accepted").attempts == 0
    assert both.stop() == 0
    assert [len(deployment.calls(job("portal", number))) for number in range(1, 6)] == [1] * 5
