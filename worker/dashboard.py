"""Flower's start: not without a login, unless the configuration says so by name; and with everything masked."""

import os
import socket
from contextlib import suppress
from importlib import import_module
from logging import INFO, getLogger
from pathlib import Path

import click
from tornado.options import options

from config.settings import PREFIX, settings
from worker.logs import configure_logs

NO_LOGIN = f"""Flower is not started: it asks for no login, and whoever reaches it could read and stop deliveries.
Give it one: {PREFIX}FLOWER_BASIC_AUTH=NAME:PASSWORD, best as a file of that name in the secrets folder, or --auth with
an --auth-provider; where another door stands before it, say so with {PREFIX}FLOWER_WITHOUT_LOGIN=yes."""
NO_STORE = f"""Flower is not started: it cannot keep what it saw in %s.
Give {PREFIX}FLOWER_DB a file in a folder that exists and that Flower's user may write."""
PORT_TAKEN = """Flower is not started: port %d of %s is taken.
Give it another, --port=NUMBER, or end what listens there."""


def prepare_flower(**_: object) -> None:
    """Called when a command of Celery imports the tasks, by when Flower has read all its options.

    Raises:
        SystemExit: this is Flower, without a login and without the setting that allows it, without a place for what
            it is to keep, or with a port that is taken.
    """
    context = click.get_current_context(silent=True)
    if context is None or context.command.name != "flower":
        return
    configure_logs(settings().log_format, getLogger().level)
    _require_login()
    if options.persistent and not os.access(Path(options.db).absolute().parent, os.W_OK):
        raise SystemExit(NO_STORE % options.db)
    _require_port()
    # At DEBUG it prints what is sent over the API: a whole job.
    getLogger("flower.api.tasks").setLevel(INFO)
    # Nothing but Flower itself is to load Flower.
    import_module("worker.flower_events").take_over()


def _require_login() -> None:
    if any(options.basic_auth or ()) or options.auth:
        return
    if settings().flower_basic_auth:
        options.basic_auth = [login.get_secret_value() for login in settings().flower_basic_auth]
        return
    if settings().flower_without_login != "yes":
        raise SystemExit(NO_LOGIN)
    getLogger("flower").warning("Flower asks for no login: whoever reaches it can read and stop deliveries")


def _require_port() -> None:
    """Flower itself would end in a traceback."""
    address = options.address or "127.0.0.1"
    if options.unix_socket:
        return
    with suppress(OSError), socket.create_connection((address, options.port), timeout=1):
        raise SystemExit(PORT_TAKEN % (options.port, address))
