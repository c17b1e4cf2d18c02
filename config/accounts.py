"""What may stand in the accounts file: one model per provider."""

from ipaddress import ip_address
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from config.texts import header_token, one_line
from config.units import Duration, RateField, parse_duration

GROUP_PREFIX = "group."


def _one_line(value: SecretStr) -> SecretStr:
    one_line(value.get_secret_value())
    return value


def _header_token(value: SecretStr) -> SecretStr:
    header_token(value.get_secret_value())
    return value


def https_or_loopback(value: str) -> str:
    """The address itself. Raises ValueError unless credentials may be sent there: https, or http on loopback."""
    url = urlsplit(value)
    # Python's parser leaves out line breaks and tabs without a word.
    if not value.isprintable() or url.username or url.query or url.fragment or not url.hostname:
        raise ValueError("expected an address such as https://api.example.com, without credentials or query")
    if url.scheme != "https" and not (url.scheme == "http" and _is_loopback(url.hostname)):
        raise ValueError("expected https, or http on a loopback address")
    return value


Secret = Annotated[SecretStr, Field(min_length=1), AfterValidator(_one_line)]
HeaderSecret = Annotated[SecretStr, Field(min_length=1), AfterValidator(_header_token)]
Address = Annotated[str, AfterValidator(https_or_loopback)]
"""Where a provider is called besides its `base_url`."""


class BaseAccount(BaseModel):
    """One shop at one provider, with what holds for every provider.

    Times: `timeout` in seconds, `expires_after` in milliseconds once read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    lists: ClassVar[bool] = False
    """Whether the provider tells which invitations it sent."""

    provider: str
    name: str = Field(pattern=r"^[a-z0-9_]+$", max_length=64)
    base_url: str = Field(default="", repr=False)
    limit: RateField | None = None
    burst: int | None = Field(default=None, ge=1)
    concurrency: int = Field(default=10, ge=1)
    max_attempts: int = Field(default=10, ge=1)
    expires_after: Duration = parse_duration("3d")
    timeout: float = Field(default=30, gt=0)
    timezone: str = "Europe/Amsterdam"
    limit_group: str | None = Field(default=None, pattern=r"^[a-z0-9_]+$", max_length=64)

    @property
    def gate(self) -> str:
        """The gate its calls pass: its own, or the one its limit group shares."""
        return GROUP_PREFIX + self.limit_group if self.limit_group else self.name

    @property
    def asks_consent(self) -> bool:
        """Whether nobody is invited before the provider said that the customer agreed."""
        return False

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def root(self) -> str:
        """Scheme and host of the provider, without the `/api` that every one of them begins its paths with."""
        return self.base_url.rstrip("/").removesuffix("/api")

    @field_validator("base_url")
    @classmethod
    def _https_or_loopback(cls, value: str) -> str:
        return https_or_loopback(value)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("expected the name of a time zone, such as Europe/Amsterdam") from None
        return value


class WebwinkelkeurAccount(BaseAccount):
    """A web shop at WebwinkelKeur, or at its sister brand TrustProfile."""

    lists: ClassVar[bool] = True

    provider: Literal["webwinkelkeur", "trustprofile"]
    shop_id: int = Field(ge=1)
    code: Secret
    consent: Literal["required"] | None = None

    @property
    def asks_consent(self) -> bool:
        return self.consent is not None

    @model_validator(mode="before")
    @classmethod
    def _own_host(cls, data: dict[str, object]) -> dict[str, object]:
        trustprofile = data.get("provider") == "trustprofile"
        host = "https://dashboard.trustprofile.com" if trustprofile else "https://dashboard.webwinkelkeur.nl"
        return {"base_url": host, **data}


class WemasyAccount(BaseAccount):
    """A project at Wemasy."""

    provider: Literal["wemasy"]
    base_url: str = Field(default="https://api.wemasy.nl/api", repr=False)
    token: HeaderSecret


class FeedbackcompanyAccount(BaseAccount):
    """A shop at The Feedback Company, with a static token or with a client that fetches its tokens."""

    provider: Literal["feedbackcompany"]
    base_url: str = Field(default="https://www.feedbackcompany.com", repr=False)
    access_token: HeaderSecret | None = None
    client_id: Annotated[str, Field(min_length=1), AfterValidator(one_line)] | None = None
    client_secret: Secret | None = None

    @model_validator(mode="after")
    def _one_way_in(self) -> "FeedbackcompanyAccount":
        client = (self.client_id is not None, self.client_secret is not None)
        if self.access_token is None and client != (True, True):
            raise ValueError("expected access_token, or both client_id and client_secret")
        if self.access_token is not None and any(client):
            raise ValueError("expected access_token or a client, not both")
        return self


Account = BaseAccount
"""An account of any provider: those from outside have models of their own (config.outside)."""
BUILT_IN: tuple[type[BaseAccount], ...] = (WebwinkelkeurAccount, WemasyAccount, FeedbackcompanyAccount)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
