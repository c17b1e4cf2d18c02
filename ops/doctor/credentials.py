"""Where an account's credentials come from, for a person who is to correct them."""

from pydantic import SecretStr

from config.accounts import Account
from config.accounts_sources import Sources
from config.settings import Settings

NOT_ASKED = ("name", "provider")


def places(account: Account, settings: Settings) -> str:
    """What the provider knows it by, and each secret that it has: by variable, or by file and line, as this process
    sees them. Raises ConfigurationError where one cannot be read any longer."""
    sources = Sources.of(settings)
    fields = type(account).model_fields
    wanted = [name for name, field in fields.items() if field.is_required() and name not in NOT_ASKED]
    wanted += [name for name in fields if isinstance(getattr(account, name), SecretStr) and name not in wanted]
    return ", ".join(f"{name} at {sources.place(account.name, name)}" for name in wanted)
