"""Every log line in one format, without addresses of people or machines, whoever wrote it."""

import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from celery.app.trace import LOG_REJECTED, LOG_SUCCESS
from celery.apps import worker as celery_worker

from worker.celery_lines import PRINT_BODIES, TOLD_BY_US
from worker.logs import configure_logs
from worker.masking import scrub

worker: Any = celery_worker


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, say = root.handlers[:], root.level, worker.safe_say
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    worker.safe_say = say
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("to jane.doe+x@example.com, now", "to (address), now"),
        ("<jane@example.com>", "<(address)>"),
        ("GET https://x.example/api?id=1&code=abc HTTP", "GET https://x.example/(hidden) HTTP"),
        ("redis://:s3cret@host:6379/0", "redis://host:6379/(hidden)"),
        ("Visit me at http://127.0.0.1:5555", "Visit me at http://127.0.0.1:5555"),
        ("celery@vm ready", "celery@vm ready"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_addresses_are_taken_out(text: str, scrubbed: str) -> None:
    assert scrub(text) == scrubbed


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_our_lines_and_those_of_others_are_scrubbed(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(log_format, "DEBUG")  # type: ignore[arg-type]

    structlog.get_logger("ours").info("settled", reason="jane@example.com is known", invitation="abc")
    try:
        raise RuntimeError("jane@example.com at https://x.example/?code=s3cret")
    except RuntimeError:
        logging.getLogger("theirs").exception("failed for %s", "jane@example.com")

    printed = capsys.readouterr().err
    assert "settled" in printed
    assert "RuntimeError" in printed
    assert "jane" not in printed
    assert "s3cret" not in printed


FORGED = "x\n2026-01-01T00:00:00Z [info     ] forged \x1b[2J\x9b31m\u202e"


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_no_value_forges_a_line_or_steers_a_terminal(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(log_format, "DEBUG")  # type: ignore[arg-type]

    structlog.get_logger("ours").info("settled", order=FORGED, reason=FORGED)
    structlog.get_logger("ours").info(FORGED)
    logging.getLogger("theirs").warning("failed for %s", FORGED)
    try:
        raise RuntimeError(FORGED)
    except RuntimeError:
        logging.getLogger("theirs").exception("failed")

    printed = capsys.readouterr().err
    assert printed.count("forged") == 5
    assert [line for line in printed.splitlines() if line.startswith("2026-01-01")] == []
    assert [letter for letter in printed if letter != "\n" and not letter.isprintable()] == []


def test_a_warning_is_a_line_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", "INFO")

    logging.getLogger("theirs").warning("will retry", exc_info=RuntimeError("full"))

    assert "will retry" in (printed := capsys.readouterr().err)
    assert "RuntimeError" not in printed


def test_json_lines_carry_event_level_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", "INFO")

    structlog.get_logger("ours").warning("gate_closed", account="shop_nl", wait_ms=5)

    line = json.loads(capsys.readouterr().err)
    assert {name: line[name] for name in ("event", "level", "logger", "account", "wait_ms")} == {
        "event": "gate_closed",
        "level": "warning",
        "logger": "ours",
        "account": "shop_nl",
        "wait_ms": 5,
    }


@pytest.mark.parametrize("message", PRINT_BODIES)
def test_celery_does_not_print_the_message_that_it_could_not_handle(
    message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("console", "INFO")
    values = ["Canary Doe"] * message.replace("%%", "").count("%")

    logging.getLogger("celery.worker.consumer.consumer").warning(message, *values)

    printed = capsys.readouterr().err
    assert "not shown" in printed
    assert "Canary" not in printed


def test_debug_lines_of_http_and_message_libraries_stay_off(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("console", "DEBUG")

    for name in ("urllib3.connectionpool", "kombu.transport"):
        logging.getLogger(name).debug('"GET /api?id=1&code=s3cret"')

    assert "s3cret" not in capsys.readouterr().err


def test_celerys_lines_of_tasks_are_constant_events_with_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", "INFO")
    context = {"name": "invitations.upkeep", "id": "7", "runtime": 0.5, "return_value": "3", "args": "(not shown)"}

    logging.getLogger("celery.app.trace").info(LOG_SUCCESS, context, extra={"data": context})

    line = json.loads(capsys.readouterr().err)
    assert {name: line[name] for name in line.keys() - {"timestamp"}} == {
        "event": "task_succeeded",
        "level": "info",
        "logger": "celery.app.trace",
        "task": "invitations.upkeep",
        "task_id": "7",
        "seconds": 0.5,
        "result": "3",
    }


@pytest.mark.parametrize("task", TOLD_BY_US)
def test_what_we_tell_ourselves_celery_does_not_tell_again(task: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", "INFO")
    context = {"name": task, "id": "7", "exc": "Reject()", "runtime": 0.5, "return_value": "'accepted'"}

    logging.getLogger("celery.app.trace").info(LOG_SUCCESS, context, extra={"data": context})
    assert capsys.readouterr().err == ""
    logging.getLogger("celery.app.trace").warning(LOG_REJECTED, context, extra={"data": context})
    assert json.loads(capsys.readouterr().err)["event"] == "task_rejected"


def test_what_would_be_printed_beside_the_log_is_a_line_of_it(capfd: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", "INFO")

    worker.safe_say("worker: Warm shutdown (MainProcess)")
    warnings.showwarning(UserWarning("jane@example.com"), UserWarning, "file.py", 1)

    said, warned = map(json.loads, capfd.readouterr().err.splitlines())
    assert (said["event"], said["level"]) == ("worker: Warm shutdown (MainProcess)", "info")
    assert "UserWarning" in warned["event"]
    assert "jane" not in warned["event"]
