"""Flower's start: not without a login, unless the configuration says so by name."""

from logging import getLogger

import click
from tornado.options import options

from config.settings import PREFIX, settings
from worker.logs import configure_logs

NO_LOGIN = f"""Flower is not started: it asks for no login, and whoever reaches it could read and stop deliveries.
Give it one, such as --basic-auth=NAME:PASSWORD (or FLOWER_BASIC_AUTH), or --auth with an --auth-provider; where another
door stands before it, say so with {PREFIX}FLOWER_WITHOUT_LOGIN=yes."""


def require_login(**_: object) -> None:
    """Called when a command of Celery imports the tasks, by when Flower has read all its options.

    Raises:
        SystemExit: this is Flower, without a login and without the setting that allows it.
    """
    context = click.get_current_context(silent=True)
    if context is None or context.command.name != "flower":
        return
    configure_logs(settings().log_format, getLogger().level)
    if any(options.basic_auth or ()) or options.auth:
        return
    if settings().flower_without_login != "yes":
        raise SystemExit(NO_LOGIN)
    getLogger("flower").warning("Flower asks for no login: whoever reaches it can read and stop deliveries")
