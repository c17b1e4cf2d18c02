"""The Celery application: `celery -A worker.app worker`, `beat` and `flower`."""

import os
from importlib.util import find_spec

from celery import Celery, signals

from config.accounts_file import accounts
from config.celery_values import celery_values
from config.errors import ConfigurationError
from config.settings import Settings, settings
from worker.logs import configure_logs
from worker.metrics import serve_metrics
from worker.pacer import PacerStep


def create_app(settings: Settings) -> Celery:
    """The application over these settings. Makes no connection."""
    app = Celery("invitations")
    app.conf.update(celery_values(settings))
    app.steps["worker"].add(PacerStep)
    return app


def _stop_with(error: ConfigurationError) -> SystemExit:
    return SystemExit(str(error))


@signals.setup_logging.connect
def _set_up_logging(loglevel: int | str | None = None, **_: object) -> None:
    configure_logs(settings().log_format, loglevel or "INFO")


@signals.celeryd_init.connect
@signals.beat_init.connect
def _check_accounts(**_: object) -> None:
    try:
        accounts()
    except ConfigurationError as error:
        raise _stop_with(error) from None


@signals.worker_ready.connect
def _serve_metrics(**_: object) -> None:
    serve_metrics(settings())


flower_configuration = find_spec("config.flower")
if flower_configuration and flower_configuration.origin:
    os.environ.setdefault("FLOWER_CONF", flower_configuration.origin)

try:
    app = create_app(settings())
except ConfigurationError as configuration_error:
    raise _stop_with(configuration_error) from None
