"""The `invitations` command."""

from ops.cli.app import main

__all__ = ["main"]
