"""The trouble of each section of the runbook, by its anchor."""

from tests.runbook import alerts, troubles
from tests.runbook.book import FIRST
from tests.runbook.scene import Situation

SITUATIONS: dict[str, Situation] = {
    FIRST: alerts.nothing_wrong,
    "oldest-due-too-old": alerts.oldest_due_too_old,
    "gate-paused": alerts.gate_paused,
    "failures-rising": alerts.failures_rising,
    "no-retrieval": alerts.no_retrieval,
    "beat-silent": alerts.beat_silent,
    "redis-memory": alerts.redis_memory,
    "nothing-delivered": alerts.nothing_delivered,
    "worker-silent": alerts.worker_silent,
    "provider-down": troubles.provider_down,
    "credentials-expired": troubles.credentials_expired,
    "limit-changed": troubles.limit_changed,
    "redis-down": troubles.redis_down,
    "redis-full": troubles.redis_full,
    "stuck-invitation": troubles.stuck_invitation,
    "wrong-batch-imported": troubles.wrong_batch_imported,
    "erase-a-customer": troubles.erase_a_customer,
    "move-to-a-new-redis": troubles.move_to_a_new_redis,
    "roll-back-a-version": troubles.roll_back_a_version,
}
