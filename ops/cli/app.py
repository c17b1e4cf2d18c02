"""The `invitations` command. A subcommand is imported when it is called, so help is quick."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, metadata
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from ops.cli.errors import explain
from ops.cli.usage import mend

PROGRAM = "invitations"
UNREAD = 141
"""The exit code that a shell gives a program which ends because nobody reads it any more (128 + SIGPIPE)."""
COMMANDS = {
    "send": ("ops.cli.send:send", "Enqueue one job: from options, a JSON file, or standard input."),
    "import": ("ops.cli.importing:import_file", "Enqueue every line of a CSV or JSON Lines file."),
    "show": ("ops.cli.show:show", "Show one invitation: its state, why, and what happened to it."),
    "list": ("ops.cli.listing:list_invitations", "List invitations, those that changed last first."),
    "status": ("ops.cli.status:status", "Show every account: its gate, what waits, what is done."),
    "watch": ("ops.cli.watch:watch", "Watch every account live, until Ctrl-C."),
    "accounts": ("ops.cli.accounts:group", "List the configured accounts, add one, or try each."),
    "pause": ("ops.cli.pausing:pause", "Stop an account until it is resumed."),
    "resume": ("ops.cli.pausing:resume", "Set a paused account going."),
    "replay": ("ops.cli.replay:replay", "Line up rejected and failed invitations afresh."),
    "cancel": ("ops.cli.cancel:cancel", "Cancel invitations that wait."),
    "forget": ("ops.cli.forget:forget", "Erase everything that is held on an address."),
    "suppress": ("ops.cli.suppress:suppress", "Keep the list of addresses that asked for no invitations."),
    "doctor": ("ops.cli.doctor:examine_deployment", "Say what is wrong with this deployment, and the cure."),
    "simulate": ("ops.cli.simulate:simulate", "Simulate all three providers on one port."),
    "demo": ("ops.cli.demo:demo", "See it work: a few hundred invitations over all three providers."),
}
"""Where each command is, and what the list of commands says of it."""


class Commands(TyperGroup):
    """All of them. Whoever reads a command's output may close the pipe, as `head` does: that is no error."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        with _in_our_words():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        with _in_our_words():
            return super().invoke(ctx)


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except Exception as error:
        mend(error)
        if not isinstance(error, BrokenPipeError):
            raise
        # What is still to be written when Python ends would be an error then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(UNREAD)


app = typer.Typer(
    name=PROGRAM,
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Subcommand(TyperCommand):
    """Stands for a command until it is called."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        # Standard output is for what the command prints. Loaded here, for it loads much that a help does not need.
        structlog: Any = import_module("structlog")
        structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
        context = command(str(self.name)).make_context(info_name, args, parent, **extra)
        # Doctor tells them among its findings.
        if not context.resilient_parsing and self.name != "doctor":
            for variable, near in import_module("config.unknown").misspelt():
                typer.echo(f"{variable} is no setting, and does nothing: did you mean {near}?", err=True)
        return context


def command(name: str) -> Any:
    """The command itself, or the group of commands that it is, imported now."""
    module, _, function = COMMANDS[name][0].partition(":")
    called = getattr(import_module(module), function)
    if isinstance(called, typer.Typer):
        return typer.main.get_command(called)
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    single.command(name)(called)
    return typer.main.get_command(single)


def _never_called() -> None:
    """Its place is taken by the command that `Subcommand` imports."""


for name, (_, summary) in COMMANDS.items():
    app.command(name, cls=Subcommand, help=summary)(_never_called)


def _print_version(wanted: bool) -> None:
    if not wanted:
        return
    try:
        typer.echo(f"{PROGRAM} {metadata.version('invitation-worker')}")
    except metadata.PackageNotFoundError:
        typer.echo(f"{PROGRAM} (not installed: run from its source)")
    raise typer.Exit


@app.callback()
def invitations(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Gets every customer invitation to its provider: once, on time, within the provider's limits.

    Exit codes: 0 done, 1 an operation failed, 2 bad usage or a bad job.

    \b
    Example:
      invitations send --account shop_nl --email jane@example.com --order 1001
      invitations watch
    """


def main() -> None:
    """Runs the command line and exits. An error is a few clear lines on standard error, never a traceback."""
    try:
        app(prog_name=PROGRAM)
    except Exception as error:
        message, code = explain(error)
        typer.echo(message, err=True)
        sys.exit(code)
