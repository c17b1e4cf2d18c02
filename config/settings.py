"""Settings from the environment, `.env` and the secrets folder; read once, typed, refused when wrong."""

import os
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from cryptography.fernet import Fernet
from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from config.errors import ConfigurationError, expected
from config.redis_url import SentinelUrl

PREFIX = "INVITATIONS_"
PLAIN = "plain"
SCHEMES = ("redis://", "rediss://", "sentinel://")


def _redis_scheme(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(SCHEMES):
        raise ValueError("expected an address that begins with redis://, rediss:// or sentinel://")
    try:
        SentinelUrl.parse(value.get_secret_value())
    except ValueError:
        raise ValueError("expected whole numbers for port and database") from None
    return value


def _readable(path: Path | None) -> Path | None:
    if path and not os.access(path, os.R_OK):
        raise ValueError("expected a PEM file that can be read")
    return path


def _split(value: Any) -> Any:
    return [key.strip() for key in value.split(",") if key.strip()] if isinstance(value, str) else value


def _fernet(keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    try:
        for index, key in enumerate(keys):
            if index or key.get_secret_value() != PLAIN:
                Fernet(key.get_secret_value())
    except ValueError:
        raise ValueError(
            f"expected Fernet keys (32 bytes, url-safe base64) with commas between, or {PLAIN} before those to leave"
        ) from None
    return keys


def _logins(logins: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    for login in logins:
        name, _, password = login.get_secret_value().partition(":")
        if not (name and password and login.get_secret_value().isascii()):
            raise ValueError("expected NAME:PASSWORD in ASCII, with commas between several")
    return logins


class Settings(BaseSettings):
    """Every setting, its default and what it means. Each is an environment variable with the prefix INVITATIONS_."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    redis_url: Annotated[SecretStr, AfterValidator(_redis_scheme)] = Field(
        default=SecretStr("redis://127.0.0.1:6379/0"),
        description="broker and ledger; `redis://`, `rediss://`, or `sentinel://host:port,host:port/db?master=name`",
    )
    accounts_file: Path = Field(
        default=Path("config/accounts.toml"),
        description="the accounts; relative to the folder in which the process starts",
    )
    secrets_dir: Path | None = Field(default=None, description="a file per secret, named like its variable")
    concurrency: int = Field(default=20, ge=1, le=500, description="deliveries at once in one worker process")
    lease_seconds: int = Field(
        default=60, ge=2, description="how long a worker may hold an invitation before another takes over"
    )
    retrieve_seconds: int = Field(default=900, ge=1, description="how often beat asks providers what was sent")
    retention_days: int = Field(
        default=90, ge=1, description="finished invitations and their personal data are erased after this"
    )
    metrics_port: int = Field(
        default=9808, ge=0, le=65535, description="Prometheus endpoint of a worker; `0` turns it off"
    )
    metrics_host: str = Field(default="127.0.0.1", description="the address it listens on")
    health_file: Path | None = Field(
        default=None,
        description="a file that a worker or beat touches while it works: `python -m worker.health worker` or `beat`"
        " reads its age",
    )
    ca_file: Annotated[Path | None, AfterValidator(_readable)] = Field(
        default=None, description="a PEM file of who vouches for providers' hosts, in place of the public authorities"
    )
    encryption_keys: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split), AfterValidator(_fernet)] = (
        Field(
            default=(),
            description="Fernet keys, newest first, with commas between; when set, personal data is encrypted in the"
            " ledger",
        )
    )
    flower_basic_auth: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split), AfterValidator(_logins)] = (
        Field(default=(), description="`NAME:PASSWORD` that Flower and its API ask for, with commas between several")
    )
    flower_db: Path = Field(
        default=Path("/var/lib/invitations/flower"),
        description="in this file Flower keeps what it saw over a restart; the default only where that folder can be"
        " written",
    )
    flower_without_login: Literal["no", "yes"] = Field(
        default="no", description="`yes` lets Flower start without a login, where another door stands before it"
    )
    log_format: Literal["console", "json"] = Field(default="console", description="`console` or `json`")


def load_settings(**overrides: Any) -> Settings:
    """The settings as they stand now.

    Raises:
        ConfigurationError: naming each variable with a bad value and what was expected.
    """
    folder = os.environ.get(f"{PREFIX}SECRETS_DIR") or dotenv_values(".env").get(f"{PREFIX}SECRETS_DIR")
    default = Path("/run/secrets")
    path = Path(folder) if folder else default if default.is_dir() else None
    if folder and not Path(folder).is_dir():
        raise ConfigurationError([f"{PREFIX}SECRETS_DIR: expected a folder that exists"])
    try:
        return Settings(**{"_secrets_dir": path, "secrets_dir": path, **overrides})
    except ValidationError as error:
        raise ConfigurationError(f"{PREFIX}{name.upper()}: {message}" for name, message in expected(error)) from None


@cache
def settings() -> Settings:
    """The settings of this process, read at first use. Raises ConfigurationError."""
    return load_settings()
