"""`invitations import`: very many jobs from a file, in constant memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Annotated, Any

import typer
from redis.exceptions import RedisError
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from ops.cli.errors import BAD_USAGE, Failure, explain
from ops.cli.options import AsJson
from ops.cli.output import console, print_json
from ops.cli.rows import OF_THE_LINE, Row, csv_rows, json_rows
from ops.cli.source import Format, Source, format_of, opened
from tasks.enqueue import enqueue_many
from tasks.faults import Fault

BATCH = 500
SHOWN = 20

File = Annotated[str, typer.Argument(help="CSV or JSON Lines; - for standard input.", metavar="FILE")]
Account = Annotated[str | None, typer.Option(help="The account of lines that name none.")]
Kind = Annotated[Format | None, typer.Option("--format", help="Where the file's name does not tell.")]
Encoding = Annotated[str, typer.Option(help="How the text is encoded; spreadsheets: windows-1252.")]

Refusal = tuple[int, list[Fault]]


@dataclass(slots=True)
class Outcome:
    """What became of the lines so far. Of the refused ones `kept` are remembered, None for all."""

    kept: int | None
    accepted: int = 0
    known: int = 0
    suppressed: int = 0
    refused: int = 0
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def lines(self) -> int:
        return self.accepted + self.known + self.suppressed + self.refused


def import_file(
    file: File,
    *,
    account: Account = None,
    kind: Kind = None,
    encoding: Encoding = "utf-8-sig",
    as_json: AsJson = False,
) -> None:
    """Enqueue every line of a CSV or JSON Lines file. Running it again doubles nothing.

    JSON Lines: one job on each line.

    CSV: the first line names the columns, in any order, with commas, semicolons or tabs between. Only account
    (or --account) and email are required. The others: order, language, full_name, first_name, last_name,
    phone_numbers (semicolons between several), order_total, products (a JSON list), delay ("5 days"; or
    delay_amount and delay_unit), reminder ("12 days"; or reminder_amount and reminder_unit), filtercode,
    client, platform_version, plugin_version, invite (true or false), idempotency_key,
    reply_to (JSON).

    A line that is refused is kept with its faults and never stops those behind it; the exit code is then 2.

    \b
    Example:
      invitations import orders.csv --account shop_nl
      zcat orders.jsonl.gz | invitations import - --format jsonl
    """
    rows = {"csv": csv_rows, "jsonl": json_rows}[kind or format_of(file)]
    outcome = Outcome(kept=None if as_json else SHOWN)
    with opened(file, encoding) as source, _progress(source) as advance:
        _enqueue(rows(source.lines, account), outcome, advance)
    _print(outcome, as_json)
    if outcome.refused:
        raise typer.Exit(BAD_USAGE)


def _enqueue(rows: Iterator[Row], outcome: Outcome, advance: Callable[[int], None]) -> None:
    try:
        while batch := list(islice(rows, BATCH)):
            summary = enqueue_many(row.job for row in batch)
            outcome.accepted += summary.accepted
            outcome.known += summary.known
            outcome.suppressed += summary.suppressed
            outcome.refused += len(summary.refused)
            room = None if outcome.kept is None else max(0, outcome.kept - len(outcome.refusals))
            refused = summary.refused[:room]
            outcome.refusals += [(batch[position - 1].line, list(faults)) for position, faults in refused]
            advance(outcome.lines)
    except RedisError as error:
        raise Failure(f"{explain(error)[0]}\n{_so_far(outcome)}") from None
    except KeyboardInterrupt:
        typer.echo(_so_far(outcome), err=True)
        raise


def _so_far(outcome: Outcome) -> str:
    return f"{outcome.lines} lines went in. Run it again for the others: nothing is doubled."


def _in_words(fault: Fault) -> str:
    return fault.problem if fault.field == OF_THE_LINE else str(fault)


def _print(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        refusals: list[dict[str, Any]] = [
            {"line": line, "faults": [fault.model_dump() for fault in faults]} for line, faults in outcome.refusals
        ]
        told = {name: getattr(outcome, name) for name in ("accepted", "known", "suppressed", "refused")}
        print_json({**told, "refused_lines": refusals})
        return
    suppressed = f", {outcome.suppressed} suppressed: no invitations were asked for" if outcome.suppressed else ""
    typer.echo(f"{outcome.accepted} accepted, {outcome.known} already known, {outcome.refused} refused{suppressed}")
    for line, faults in outcome.refusals:
        typer.echo(f"  line {line}: {'; '.join(map(_in_words, faults))}", err=True)
    more = outcome.refused - len(outcome.refusals)
    if more:
        typer.echo(f"  and {more} more: --json shows all", err=True)
    if outcome.refused:
        typer.echo("Refused jobs are kept with their faults: invitations list --state refused", err=True)
        typer.echo("To mend one and send it again: invitations show ID --job > job.json", err=True)


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
