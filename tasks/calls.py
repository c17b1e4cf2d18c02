"""What every call to a provider needs, once in a process."""

from functools import cache
from time import perf_counter

from config.accounts import Account
from config.settings import settings
from tasks.job import Job
from tasks.outcome import Answer, Consented, Outcome
from tasks.providers.listing import Page
from tasks.providers.pipeline import Pipeline
from worker.connection import redis
from worker.metrics import REQUEST_SECONDS
from worker.tokens import SharedTokens
from worker.vault import Vault


class MeasuredPipeline(Pipeline):
    """Measures each call by what it came to; a page of a list that came is `listed`, whatever was looked for in it."""

    def deliver(self, account: Account, job: Job, *, timeout: float) -> Answer:
        answer = super().deliver(account, job, timeout=timeout)
        _measure(account, answer.outcome, answer.seconds)
        return answer

    def list_page(self, account: Account, *, offset: int, size: int, timeout: float) -> Page | Outcome:
        started = perf_counter()
        page = super().list_page(account, offset=offset, size=size, timeout=timeout)
        _measure(account, page, perf_counter() - started)
        return page

    def consent(self, account: Account, job: Job, *, timeout: float) -> Consented | Outcome | None:
        started = perf_counter()
        said = super().consent(account, job, timeout=timeout)
        if said is not None:
            _measure(account, said, perf_counter() - started)
        return said


def _measure(account: Account, came_to: Outcome | Consented | Page, seconds: float) -> None:
    outcome = "listed" if isinstance(came_to, Page) else type(came_to).__name__.lower()
    REQUEST_SECONDS.labels(account.provider, outcome).observe(seconds)


@cache
def pipeline() -> Pipeline:
    """This process's pipeline to the providers."""
    return MeasuredPipeline(SharedTokens(redis()))


@cache
def vault() -> Vault:
    """This process's vault."""
    return Vault.of(settings())
