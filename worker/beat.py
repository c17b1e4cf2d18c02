"""Beat's scheduler: RedBeat (schedule and lock in Redis), with the schedule made from the accounts."""

from redbeat import RedBeatScheduler  # type: ignore[import-untyped]

from config.accounts_file import accounts
from config.schedule import beat_schedule
from config.settings import settings


class InvitationScheduler(RedBeatScheduler):  # type: ignore[misc]
    """Two beats are safe: one holds the lock, the other waits for it."""

    def setup_schedule(self) -> None:
        self.app.conf.beat_schedule = beat_schedule(settings(), accounts().values())
        super().setup_schedule()
