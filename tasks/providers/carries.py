"""Which fields of a job its provider can carry: what it cannot is an error, not silence."""

from config.accounts import Account
from tasks.faults import Fault
from tasks.job import Job
from tasks.providers import PROVIDERS

PLAIN_DETAIL = frozenset({"customer", "order", "order_total", "products"})
DEMANDING = ("language", "reminder", "filtercode", "client", "platform_version", "plugin_version")

NO_ORDER_FOR_CONSENT = Fault(
    field="order", problem="is required: this account asks for the consent given with an order"
)


def faults_for(account: Account, job: Job) -> list[Fault]:
    """What the account's provider cannot carry or would never take of a job that is valid as such.

    Plain detail of customer and order that it cannot carry is left out without a word; any other field is a
    fault.
    """
    provider = PROVIDERS[account.provider]
    asked = [field for field in DEMANDING if getattr(job, field) is not None]
    if not job.invite:
        asked.append("invite")
    consent = [NO_ORDER_FOR_CONSENT] if account.asks_consent and job.order is None else []
    return [
        Fault(field=field, problem=f"cannot be carried by {account.provider}: leave it out")
        for field in asked
        if field not in provider.carries
    ] + [*consent, *provider.faults(job)]
