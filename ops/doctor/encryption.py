"""How what is personal is sealed in Redis."""

from collections.abc import Iterator

from config.settings import PREFIX
from ops.doctor.findings import Deployment, Finding
from worker.reencrypt import survey
from worker.vault import Vault

LOOKED_AT = 1_000
VARIABLE = f"{PREFIX}ENCRYPTION_KEYS"
RESEAL = "invitations doctor --reencrypt"
LOST_KEY = f"add the key that they were sealed with to {VARIABLE}, and run {RESEAL}"


def check_encryption(deployment: Deployment) -> Iterator[Finding]:
    """Every job is sealed with the newest key, and none with a key that is not there: so it is with the key of the ids,
    and with the records that are looked at."""
    vault = Vault.of(deployment.settings)
    seen = survey(deployment.redis, vault, LOOKED_AT)
    share = f"of the {seen.texts} sealed texts that were looked at,"
    if seen.unreadable:
        yield Finding("problem", "encryption", f"{share} {seen.unreadable} are opened by none of the keys", LOST_KEY)
    if seen.older:
        found = f"{share} {seen.older} are not sealed as {VARIABLE} says"
        yield Finding("warning", "encryption", found, f"when every process has these keys, run {RESEAL}")
    if not seen.unreadable and not seen.older:
        with_key = "with the newest key" if vault.encrypts else f"no: {VARIABLE} sets no key"
        yield Finding("ok", "encryption", f"{with_key} ({seen.texts} texts looked at)")
