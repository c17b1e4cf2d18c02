"""The Lua scripts of the ledger, each in a file of its own beside this one."""

from importlib.resources import files
from typing import Any

from redis import Redis
from redis.client import Pipeline
from redis.commands.core import Script

SHARED = {
    "accept": ["job"],
    "active": ["even_full"],
    "cancel": ["even_full"],
    "configure": ["even_full"],
    "forget": ["even_full", "job"],
    "note_erasure": ["even_full"],
    "opt_out": ["even_full"],
    "pause": ["even_full"],
    "replay": ["job"],
    "reseal": ["job"],
    "resume": ["even_full"],
    "sent": ["even_full"],
    "settle": ["even_full", "limits", "lessons"],
    "spend": ["even_full", "limits"],
    "suppress": ["even_full", "job"],
    "take": ["not_full", "limits", "job", "claim", "admit"],
    "tell": ["even_full", "limits", "lessons"],
}
NAMES = (
    "accept",
    "active",
    "cancel",
    "configure",
    "erase",
    "forget",
    "note_erasure",
    "opt_out",
    "overview",
    "pause",
    "refuse",
    "replay",
    "reseal",
    "resume",
    "sent",
    "settle",
    "spend",
    "suppress",
    "take",
    "tell",
)


def source(name: str) -> str:
    """The whole text of a script, with what it shares with others in front."""
    return joined("prelude", *SHARED.get(name, []), name)


def joined(*parts: str) -> str:
    """The texts of these files of worker/lua, one behind the other."""
    folder = files("worker") / "lua"
    return "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in parts)


class Scripts:
    """Every script, registered with one client: read once, called by digest, loaded again where Redis forgot it."""

    def __init__(self, redis: Redis) -> None:
        self._scripts: dict[str, Script] = {name: redis.register_script(source(name)) for name in NAMES}

    def run(self, name: str, *args: str | int, client: Pipeline | None = None) -> Any:
        return self._scripts[name](args=list(args), client=client)
