"""`make bench`, which is `python -m ops.bench`."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from ops.bench.bare import Bare
from ops.bench.ours import Ours
from ops.bench.peers import PEERS
from ops.bench.place import place
from ops.bench.plots import plot
from ops.bench.processes import BenchError
from ops.bench.results import TABLE, Results, conditions, read
from ops.bench.runner import measure
from ops.bench.scenarios import SCENARIOS, Scenario
from ops.demo.signals import ended_by_signals

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
RESULTS = Path(__file__).parent / "results"
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Options:
    """How the chosen scenarios are run, and where their results go."""

    runs: int
    quick: bool
    only_ours: bool
    add: bool
    results: Path


@app.command()
def bench(  # noqa: PLR0913
    names: Annotated[list[str] | None, typer.Argument(help="Scenarios, or the beginnings of their names.")] = None,
    *,
    runs: Annotated[int, typer.Option(min=1, help="How often each is measured; the table shows medians.")] = 3,
    quick: Annotated[bool, typer.Option("--quick", help="The least of each: shows that it works, no figure.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="The rare ones too.")] = False,
    only_ours: Annotated[bool, typer.Option("--only-ours", help="No peers.")] = False,
    add: Annotated[bool, typer.Option("--add", help="Add to what was measured before on this machine.")] = False,
    results: Annotated[Path, typer.Option(help="The folder for table and figures.")] = RESULTS,
    listing: Annotated[bool, typer.Option("--list", help="List the scenarios and end.")] = False,
) -> None:
    """Measures this project beside what one would pick instead, and writes table, figures and plots.

    \b
    Example:
      python -m ops.bench throughput limit-fixed --runs 5
    """
    if listing:
        for scenario in SCENARIOS:
            typer.echo(f"{scenario.name:18} {scenario.about}{' (rare)' if scenario.rare else ''}")
        return
    chosen = _chosen(names or [], everything)
    try:
        with ended_by_signals():
            code = _run(chosen, Options(1 if quick else runs, quick, only_ours, add, results))
    except KeyboardInterrupt:
        typer.echo("Ended before its end; nothing is left running.", err=True)
        code = INTERRUPTED
    except BenchError as error:
        typer.echo(str(error), err=True)
        code = 1
    sys.exit(code)


def _chosen(names: list[str], everything: bool) -> list[Scenario]:
    """Those of these names, or whose names begin so and which are not rare, in their order."""
    usual = [scenario for scenario in SCENARIOS if everything or not scenario.rare]
    if not names:
        return usual
    known = {scenario.name for scenario in SCENARIOS}
    chosen: set[str] = set()
    for name in names:
        found = {name} & known or _names([scenario for scenario in usual if scenario.name.startswith(name)])
        if not found:
            raise typer.BadParameter(f"no scenario is named {name}; --list shows them")
        chosen |= found
    return [scenario for scenario in SCENARIOS if scenario.name in chosen]


def _run(chosen: list[Scenario], options: Options) -> int:
    others = [] if options.only_ours else list(PEERS.values())
    present = [peer for peer in others if peer.is_installed()]
    failed: list[str] = []

    def tell(line: str, failure: bool = False) -> None:
        typer.echo(line, err=True)
        if failure:
            failed.append(line)

    with place(options.quick) as here:
        results = Results(conditions(here, [Ours(here.folder), Bare(), *present]))
        before = read(options.results) if options.add else None
        if before:
            results.figures = {name: those for name, those in before.figures.items() if name not in _names(chosen)}
        results.left_out = [f"{peer.name} (not installed)" for peer in others if peer not in present]
        for scenario, figures in measure(here, chosen, present, options.runs, tell):
            results.figures.setdefault(scenario.name, []).extend(figures)
            results.write(options.results)
    if not plot(results.all(), options.results):
        typer.echo("No plots: matplotlib is not installed; `make bench` installs it.", err=True)
    typer.echo((options.results / TABLE).read_text("utf-8"))
    return 1 if failed else 0


def _names(scenarios: list[Scenario]) -> set[str]:
    return {scenario.name for scenario in scenarios}


if __name__ == "__main__":
    app(prog_name="python -m ops.bench")
