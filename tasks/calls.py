"""What every call to a provider needs, once in a process."""

from functools import cache

from config.settings import settings
from tasks.providers.pipeline import Pipeline
from worker.connection import redis
from worker.tokens import SharedTokens
from worker.vault import Vault


@cache
def pipeline() -> Pipeline:
    """This process's pipeline to the providers."""
    return Pipeline(SharedTokens(redis()))


@cache
def vault() -> Vault:
    """This process's vault."""
    return Vault.of(settings())
