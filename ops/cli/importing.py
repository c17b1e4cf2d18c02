"""`invitations import`: very many jobs from a file, in constant memory."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice, repeat
from typing import Annotated, Any

import typer
from redis.exceptions import RedisError
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from ops.cli.checking import Checker
from ops.cli.errors import BAD_USAGE, Failure, explain
from ops.cli.options import AsJson, accounts_completed, known_account
from ops.cli.output import console, print_json
from ops.cli.rows import OF_THE_LINE, Row, csv_rows, json_rows
from ops.cli.source import STANDARD_INPUT, Format, Source, format_of, opened
from tasks.acceptance import Accepted, acceptance
from tasks.faults import Fault
from worker.tracing import current

BATCH = 500
SHOWN = 20

File = Annotated[str, typer.Argument(help="CSV or JSON Lines; - for standard input.", metavar="FILE")]
Account = Annotated[
    str | None, typer.Option(help="The account of lines that name none.", autocompletion=accounts_completed)
]
Kind = Annotated[Format | None, typer.Option("--format", help="Where the file's name does not tell.")]
Encoding = Annotated[str, typer.Option(help="How the text is encoded; spreadsheets: windows-1252.")]

DryRun = Annotated[bool, typer.Option("--dry-run", help="Check every line, name all faults, write nothing.")]
Rows = Annotated[
    bool,
    typer.Option("--rows", help="With --json: a line of JSON for each row, with its id and state, before the sum."),
]

Accept = Callable[[Sequence[Any]], list[Accepted]]
Refusal = tuple[int, list[Fault]]
STAYS = ("cancelled", "failed", "rejected", "suppressed")
"""What is known already and ended so is not sent by importing it again."""


@dataclass(slots=True)
class Outcome:
    """What became of the lines so far. Of the refused ones `kept` are remembered, None for all; `known_states` tells
    how those stand that were known already."""

    kept: int | None
    accepted: int = 0
    suppressed: int = 0
    refused: int = 0
    known_states: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def known(self) -> int:
        return self.known_states.total()

    @property
    def lines(self) -> int:
        return self.accepted + self.known + self.suppressed + self.refused

    def note(self, row: Row, answer: Accepted) -> None:
        """One more."""
        receipt = answer.receipt
        if answer.faults:
            self.refused += 1
            if self.kept is None or len(self.refusals) < self.kept:
                self.refusals.append((row.line, list(answer.faults)))
        elif not receipt.created:
            self.known_states[receipt.state] += 1
        elif receipt.state == "suppressed":
            self.suppressed += 1
        else:
            self.accepted += 1


def import_file(  # noqa: PLR0913
    file: File,
    *,
    account: Account = None,
    kind: Kind = None,
    encoding: Encoding = "utf-8-sig",
    dry_run: DryRun = False,
    each: Rows = False,
    as_json: AsJson = False,
) -> None:
    """Enqueue every line of a CSV or JSON Lines file. Broken off or killed: run it again, nothing is doubled.

    JSON Lines: one job on each line.

    CSV: the first line names the columns, in any order, with commas, semicolons or tabs between. Only account
    (or --account) and email are required. The others: order, language, full_name, first_name, last_name,
    phone_numbers (semicolons between several), order_total, products (a JSON list), delay ("5 days"; or
    delay_amount and delay_unit), reminder ("12 days"; or reminder_amount and reminder_unit), filtercode,
    client, platform_version, plugin_version, invite (true or false), idempotency_key,
    reply_to (JSON).

    A line that is refused is kept with its faults and never stops those behind it; the exit code is then 2.
    --dry-run needs no Redis: what is known already or opted out it cannot tell.

    \b
    Example:
      invitations import orders.csv --account shop_nl --dry-run
      invitations import orders.csv --account shop_nl
      zcat orders.jsonl.gz | invitations import - --format jsonl
    """
    if each and not as_json:
        raise typer.BadParameter("expected --json with it", param_hint="--rows")
    if account is not None:
        known_account(account)
    rows = {"csv": csv_rows, "jsonl": json_rows}[kind or format_of(file)]
    outcome = Outcome(kept=None if as_json or dry_run else SHOWN)
    accept = Checker().check if dry_run else _accept
    try:
        with opened(file, encoding) as source, _progress(source) as advance:
            for row, answer in _enqueue(rows(source.lines, account), outcome, accept, advance):
                if each:
                    print_json(_row_json(row, answer, dry_run))
    except typer.BadParameter as error:
        error.param_hint = STANDARD_INPUT if file == "-" and error.param_hint == "FILE" else error.param_hint
        raise
    _print(outcome, as_json, dry_run)
    if outcome.refused:
        raise typer.Exit(BAD_USAGE)


def _accept(jobs: Sequence[Any]) -> list[Accepted]:
    return acceptance().accept(jobs, traces=repeat(current()))


def _enqueue(
    rows: Iterator[Row], outcome: Outcome, accept: Accept, advance: Callable[[int], None]
) -> Iterator[tuple[Row, Accepted]]:
    try:
        while batch := list(islice(rows, BATCH)):
            for row, answer in zip(batch, accept([row.job for row in batch]), strict=True):
                outcome.note(row, answer)
                yield row, answer
            advance(outcome.lines)
    except RedisError as error:
        raise Failure(f"{explain(error)[0]}\n{_so_far(outcome)}") from None
    except KeyboardInterrupt:
        typer.echo(_so_far(outcome), err=True)
        raise


def _row_json(row: Row, answer: Accepted, dry_run: bool) -> dict[str, Any]:
    told = answer.as_dict()
    # An id that was made without Redis is nobody's.
    return {"line": row.line, **(told | {"id": None, "created": False} if dry_run else told)}


def _so_far(outcome: Outcome) -> str:
    lines = "1 line" if outcome.lines == 1 else f"{outcome.lines} lines"
    return f"{lines} went in. Run it again for the others: nothing is doubled."


def _in_words(fault: Fault) -> str:
    return fault.problem if fault.field == OF_THE_LINE else str(fault)


def _print(outcome: Outcome, as_json: bool, dry_run: bool) -> None:
    if as_json:
        _print_json(outcome, dry_run)
        return
    if dry_run:
        valid = "1 line is" if outcome.accepted == 1 else f"{outcome.accepted} lines are"
        invalid = "1 is" if outcome.refused == 1 else f"{outcome.refused} are"
        typer.echo(f"{valid} valid, {invalid} not; nothing was written")
    else:
        suppressed = f", {outcome.suppressed} suppressed: no invitations were asked for" if outcome.suppressed else ""
        typer.echo(f"{outcome.accepted} accepted, {outcome.known} already known, {outcome.refused} refused{suppressed}")
    for line, faults in outcome.refusals:
        typer.echo(f"  line {line}: {'; '.join(map(_in_words, faults))}", err=True)
    more = outcome.refused - len(outcome.refusals)
    if more:
        typer.echo(f"  and {more} more: --json shows all", err=True)
    if outcome.refused and not dry_run:
        typer.echo("Refused jobs are kept with their faults: invitations list --state refused", err=True)
        typer.echo("To mend one and send it again: invitations show ID --job > job.json", err=True)
    ended = [f"{outcome.known_states[state]} {state}" for state in STAYS if outcome.known_states[state]]
    if ended:
        typer.echo(f"Of those already known, these ended before and stay so: {', '.join(ended)}", err=True)


def _print_json(outcome: Outcome, dry_run: bool) -> None:
    refusals: list[dict[str, Any]] = [
        {"line": line, "faults": [fault.model_dump() for fault in faults]} for line, faults in outcome.refusals
    ]
    counts = {name: getattr(outcome, name) for name in ("accepted", "known", "suppressed", "refused")}
    told = {**counts, "known_states": dict(outcome.known_states), "refused_lines": refusals}
    print_json({"dry_run": True, "valid": outcome.accepted, **told, "accepted": 0} if dry_run else told)


@contextmanager
def _progress(source: Source) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, by the bytes read; nothing in a pipe."""
    columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.description} lines"), TimeRemainingColumn())
    target = console(stderr=True)
    with Progress(*columns, console=target, transient=True, disable=not target.is_terminal) as bar:
        task = bar.add_task("0", total=source.size)

        def advance(lines: int) -> None:
            bar.update(task, completed=source.position(), description=str(lines))

        yield advance
