"""`python -m ops.cli` is the `invitations` command."""

from ops.cli.app import main

main()
