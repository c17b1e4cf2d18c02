"""The parts of the reference that the code itself writes: what it has, with what it says of it.

A page holds `<!-- generated: NAME -->` in their place, with a line for who reads it unbuilt.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prometheus_client.metrics import MetricWrapperBase
from typer.testing import CliRunner

import worker.metrics
from config.accounts import BaseAccount, FeedbackcompanyAccount, WebwinkelkeurAccount, WemasyAccount
from config.settings import PREFIX, Settings
from ops.cli.app import COMMANDS, PROGRAM, app, command
from ops.contract.document import asyncapi
from ops.contract.schemas import job_schema, schemas
from ops.docs.tables import Schema, code, default, form, table
from ops.simulator.faults import NOT_PROCESSED, PROCESSED
from tasks.providers import PROVIDERS
from tasks.providers.carries import DEMANDING, PLAIN_DETAIL
from tasks.states import MEANINGS
from worker.app import app as celery_app
from worker.gauges import ACCOUNT_GAUGES, GAUGES
from worker.records import STATES
from worker.steering import WITHOUT_EFFECT

ROOT = Path(__file__).parents[2]
UNBUILT = "*Here `make docs` puts what the code says of it.*"
PLACE = re.compile(rf"<!-- generated: (\w+) -->\n{re.escape(UNBUILT)}")
EXAMPLE = ROOT / "config" / "accounts.example.toml"
MODELS: dict[str, type[BaseAccount]] = {
    "webwinkelkeur": WebwinkelkeurAccount,
    "wemasy": WemasyAccount,
    "feedbackcompany": FeedbackcompanyAccount,
}
# Defaults that the program works out when it starts.
WORKED_OUT = {"secrets_dir": "`/run/secrets` if it is there"}
# The one is what a table of the file is called; the other stands in each model anew.
NAME, PROVIDER = "name", "provider"
# As people write them, where the model holds what was made of it.
WRITTEN = {PROVIDER: "required", "base_url": "the provider's", "expires_after": '`"3d"`'}
# Of a terminal as pages have room for, whoever builds them.
HELP_WIDTH = "80"


def filled(page: str) -> str:
    """The page, with what the code says in its places. Raises KeyError for a place that nothing fills."""
    return PLACE.sub(lambda place: PARTS[place[1]](), page)


def settings() -> str:
    rows = [
        (code(PREFIX + name.upper()), WORKED_OUT.get(name) or default(field), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    return table(("variable", "default", "meaning"), rows)


def account_meanings() -> dict[str, str]:
    """What each field of an account means: the comment beside it in the example that people copy."""
    lines = EXAMPLE.read_text("utf-8").splitlines()
    return {found[1]: found[2] for line in lines if (found := re.match(r"(?:# )?(\w+) =[^#]*# (.+)", line))}


def accounts() -> str:
    common = [name for name in BaseAccount.model_fields if name not in (NAME, PROVIDER)]
    parts = [_account_table("On any account", BaseAccount, [PROVIDER, *common])]
    for name, model in MODELS.items():
        own = [field for field in model.model_fields if field not in (PROVIDER, *BaseAccount.model_fields)]
        parts.append(_account_table(f"Of {code(name)}", model, own))
    return "\n".join(parts)


def _account_table(heading: str, model: type[BaseAccount], names: list[str]) -> str:
    meanings = account_meanings()
    rows = [(code(name), WRITTEN.get(name) or default(model.model_fields[name]), meanings[name]) for name in names]
    return f"## {heading}\n\n{table(('field', 'default', 'meaning'), rows)}"


def job() -> str:
    schema = job_schema()
    parts = [_model_table("Job", schema, carried=True)]
    parts += [_model_table(name, schema["$defs"][name]) for name in sorted(schema["$defs"])]
    return "\n".join(parts)


def _model_table(name: str, schema: Schema, *, carried: bool = False) -> str:
    rows = []
    for field, told in schema["properties"].items():
        needed = "yes" if field in schema.get("required", []) else ""
        row = [code(field), form(told), needed, told.get("description", "")]
        rows.append([*row, _carried_by(field)] if carried else row)
    head = ["field", "form", "required", "meaning", *(["carried by"] if carried else [])]
    return f"## {name}\n\n{schema['description']}\n\n{table(head, rows)}"


def _carried_by(field: str) -> str:
    """Which providers take it along: the others leave plain detail out, and call any other field a fault."""
    if field not in (*DEMANDING, *PLAIN_DETAIL, "invite"):
        return "all"
    names = [name for name in MODELS if field in PROVIDERS[name].carries]
    others = " (others leave it out)" if field in PLAIN_DETAIL and len(names) < len(MODELS) else ""
    return ", ".join(names) + others


def answers() -> str:
    known = schemas()
    return "\n".join(_model_table(name, known[name]) for name in ("Answer", "Fault", "Event", "Reply"))


def states() -> str:
    return table(("state", "meaning", "final"), [(code(state), *MEANINGS[state]) for state in STATES])


def commands() -> str:
    return "\n".join(f"## {PROGRAM} {name}\n\n```text\n{_help_of(name)}\n```\n" for name in command_names())


def command_names() -> list[str]:
    """Every command, each that has commands of its own followed by those."""
    found = []
    for name in COMMANDS:
        found += [name, *(f"{name} {own}" for own in getattr(command(name), "commands", ()))]
    return found


def _help_of(name: str) -> str:
    words = [*name.split(), "--help"]
    return CliRunner().invoke(app, words, prog_name=PROGRAM, env={"COLUMNS": HELP_WIDTH}).output.strip()


def metrics() -> str:
    counted = [one for one in vars(worker.metrics).values() if isinstance(one, MetricWrapperBase)]
    own = [(*_described(one), ", ".join(map(code, one._labelnames))) for one in counted]
    gauges = [(code(f"invitations_{name}"), "gauge", text, "`account`") for name, text in ACCOUNT_GAUGES]
    server = [(code(f"invitations_{name}"), "gauge", text, "") for name, text in GAUGES]
    return table(("metric", "kind", "meaning", "labels"), [(*one[:3], one[3]) for one in (*own, *gauges, *server)])


def _described(metric: MetricWrapperBase) -> tuple[str, str, str]:
    [family] = metric.describe()
    return code(family.name + "_total" * (family.type == "counter")), family.type, family.documentation


def places() -> str:
    """Keys, queues and addresses that other services may rely on."""
    channels: dict[str, dict[str, Any]] = asyncapi()["channels"]
    rows = [(code(channel["address"]), channel["description"], _named(channel)) for channel in channels.values()]
    return table(("name", "what it is", "where"), rows)


def _named(channel: dict[str, Any]) -> str:
    return "; ".join(f"`{name}`: {told['description']}" for name, told in channel.get("parameters", {}).items())


def tasks() -> str:
    celery_app.loader.import_default_modules()
    rows = [
        (code(name), " ".join((task.run.__doc__ or "").partition("\n\n")[0].split()))
        for name, task in sorted(celery_app.tasks.items())
        if name.startswith("invitations.")
    ]
    return table(("task", "what it does"), rows)


def refusals() -> str:
    return table(("asked of workers", "answer"), [(code(name), text) for name, text in WITHOUT_EFFECT.items()])


def faults() -> str:
    """Ways in which the simulator misbehaves on request."""
    rows = [(code(name), "before it looked at the call") for name in sorted(NOT_PROCESSED)]
    rows += [(code(name), "after it processed it") for name in sorted(PROCESSED)]
    return table(("fault", "the answer is spoilt"), rows)


PARTS: dict[str, Callable[[], str]] = {
    part.__name__: part
    for part in (settings, accounts, job, answers, states, commands, metrics, places, tasks, refusals, faults)
}
