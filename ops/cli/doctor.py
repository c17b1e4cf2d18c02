"""`invitations doctor`: what is wrong with this deployment, and what to do."""

import typer

from ops.cli.errors import FAILED
from ops.cli.options import AsJson
from ops.cli.output import cell, print_json, print_table, table
from ops.doctor import PROBLEM, examine


def examine_deployment(*, as_json: AsJson = False) -> None:
    """Say what is wrong with this deployment, and what to do.

    Looks at configuration, Redis, clock, workers, inbox and beat. A problem makes the exit code 1.

    \b
    Example:
      invitations doctor
    """
    findings = examine()
    well = all(finding.level != PROBLEM for finding in findings)
    if as_json:
        print_json({"ok": well, "findings": [finding.as_dict() for finding in findings]})
    else:
        made = table("", "check", "found", "to do")
        for finding in findings:
            made.add_row(cell(finding.level), cell(finding.check), cell(finding.found), cell(finding.advice))
        print_table(made)
    if not well:
        raise typer.Exit(FAILED)
