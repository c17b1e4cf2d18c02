"""`invitations demo`: the whole of it on one machine."""

from typing import Annotated

import typer

from ops.demo import run_demo

Keep = Annotated[bool, typer.Option("--keep", help="Leave it running to look at, until Ctrl-C.")]


def demo(*, keep: Keep = False) -> None:
    """See it work: a few hundred invitations over all three providers.

    Starts a server, the simulator, two workers, beat and Flower, and ends them again.

    \b
    Example:
      invitations demo --keep
    """
    raise typer.Exit(run_demo(keep))
