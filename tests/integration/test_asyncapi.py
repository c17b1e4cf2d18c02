"""The AsyncAPI document is one, by AsyncAPI's own parser; run by `make producers`."""

import subprocess

from tests.integration.processes import ROOT


def test_asyncapis_own_parser_reads_the_contract() -> None:
    contract = (ROOT / "ops" / "contract" / "asyncapi.json").read_text("utf-8")

    program = ["node", str(ROOT / "ops" / "producers" / "node" / "read_contract.mjs")]
    read = subprocess.run(program, input=contract, capture_output=True, text=True, timeout=60, check=False)

    assert (read.returncode, read.stderr, read.stdout) == (0, "", "5 operations\n")
