"""The Celery application: `celery -A worker.app worker`, `beat` and `flower`."""

import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import structlog
from celery import Celery, signals
from redis.exceptions import RedisError

from config.accounts_file import accounts
from config.celery_values import celery_values
from config.errors import ConfigurationError
from config.settings import Settings, settings
from config.unknown import misspelt
from worker.connection import redis
from worker.dashboard import prepare_flower
from worker.logs import configure_logs
from worker.metrics import serve_metrics
from worker.pacer import PacerStep
from worker.tracing import tracing
from worker.vault import Identity, Vault

log = structlog.get_logger()


class Invitations(Celery):
    """In a log of JSON lines there is no banner."""

    @property
    def Worker(self) -> Any:  # noqa: N802
        return _quiet(super().Worker)

    @property
    def Beat(self) -> Any:  # noqa: N802
        return _quiet(super().Beat)


def _quiet(program: Callable[..., Any]) -> Callable[..., Any]:
    def start(*args: Any, quiet: bool = False, **options: Any) -> Any:
        return program(*args, quiet=quiet or settings().log_format == "json", **options)

    return start


def create_app(settings: Settings) -> Celery:
    """The application over these settings. Makes no connection."""
    app = Invitations("invitations", task_cls="worker.masking:MaskedTask")
    app.conf.update(celery_values(settings))
    app.steps["worker"].add(PacerStep)
    return app


def _stop_with(error: ConfigurationError) -> SystemExit:
    return SystemExit(str(error))


@signals.setup_logging.connect
def _set_up_logging(loglevel: int | str | None = None, **_: object) -> None:
    configure_logs(settings().log_format, loglevel or "INFO")


@signals.celeryd_init.connect
def _begin_worker(options: dict[str, Any], **_: object) -> None:
    # Celery and we warn of what we find before Celery sets up the log.
    _set_up_logging(options.get("loglevel"))
    _warn_of_misspelt_settings()
    tracing.begin()


@signals.beat_init.connect
def _warn_of_misspelt_settings(**_: object) -> None:
    for variable, near in misspelt():
        log.warning("setting_unknown", variable=variable, hint=f"it does nothing; did you mean {near}?")


@signals.celeryd_init.connect
def _check_configuration(**_: object) -> None:
    """A worker without the right accounts and keys would take jobs that it cannot accept."""
    try:
        accounts()
        Identity.of(redis(), Vault.of(settings()))
    except ConfigurationError as error:
        raise _stop_with(error) from None
    except RedisError as error:
        log.warning("redis_is_away", error=type(error).__name__)


@signals.worker_shutdown.connect
def _end_traces(**_: object) -> None:
    tracing.end()


@signals.worker_ready.connect
def _serve_metrics(**_: object) -> None:
    serve_metrics(settings())


signals.import_modules.connect(prepare_flower)

flower_configuration = find_spec("config.flower")
if flower_configuration and flower_configuration.origin:
    os.environ.setdefault("FLOWER_CONF", flower_configuration.origin)

try:
    app = create_app(settings())
except ConfigurationError as configuration_error:
    raise _stop_with(configuration_error) from None
