"""The runbook without running it: every alert has a section, and every command that it gives exists."""

import re
import shlex

import pytest

from ops.cli.app import command
from tests.runbook.book import FIRST, RUNBOOK, blocks, sections
from tests.runbook.situations import SITUATIONS

ALERTS = (
    "oldest-due-too-old",
    "gate-paused",
    "failures-rising",
    "no-retrieval",
    "beat-silent",
    "redis-memory",
    "nothing-delivered",
    "worker-silent",
)
PLACEHOLDERS = {"ACCOUNT", "EMAIL", "ID", "NEW_HOST", "NEW_PORT", "NEW_REDIS", "OLD_HOST", "OLD_PORT"}
REDIS_WORDS = {
    "REDIS_ADMIN",
    "LLEN",
    "PTTL",
    "INFO",
    "MEMORY",
    "USAGE",
    "XLEN",
    "CONFIG",
    "SET",
    "BGREWRITEAOF",
    "XREVRANGE",
    "COUNT",
    "REPLICAOF",
    "FAILOVER",
    "TO",
    "TIMEOUT",
    "ROLE",
}
TEXT = RUNBOOK.read_text("utf-8")
LINES = [line for text in sections().values() for block in blocks(text) for line in block]

OURS = [line for line in dict.fromkeys(LINES) if re.match(r"(echo EMAIL \| )?invitations \w", line)]


def options_of(name: str) -> set[str]:
    """The options that a command of ours takes."""
    return {option for parameter in command(name).params for option in parameter.opts}


def test_every_section_is_run_and_each_alert_has_one() -> None:
    assert list(sections()) == list(SITUATIONS)
    assert [name for name in SITUATIONS if name != FIRST][: len(ALERTS)] == list(ALERTS)


def test_every_reference_within_it_leads_somewhere() -> None:
    references = re.findall(r"\]\(#([a-z-]+)\)", TEXT)

    assert references
    assert set(references) <= set(sections())


@pytest.mark.parametrize("line", OURS)
def test_every_command_of_ours_exists_with_its_options(line: str) -> None:
    words = shlex.split(line)
    name, *arguments = words[words.index("invitations") + 1 :]
    assert {word for word in arguments if word.startswith("--")} <= options_of(name)


def test_its_words_in_capitals_are_those_that_the_test_puts_something_in_for() -> None:
    capitals = set(re.findall(r"\b[A-Z_]{2,}\b", "\n".join(LINES)))

    assert capitals == PLACEHOLDERS | REDIS_WORDS
