"""Personal data as it stands in Redis, and the ids that do not give an address away."""

import hmac
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from secrets import token_hex
from typing import cast

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from redis import Redis

from config.errors import ConfigurationError
from config.settings import PREFIX, Settings

ID_KEY = "invitations:id_key"
ENCRYPTED = "fernet:"


class Vault:
    """Seals and opens texts: encrypted with Fernet where keys are configured, else as they are."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._keys = keys
        self._fernet = MultiFernet([Fernet(key) for key in keys]) if keys else None

    @classmethod
    def of(cls, settings: Settings) -> "Vault":
        return cls([key.get_secret_value() for key in settings.encryption_keys])

    def seal(self, text: str) -> str:
        return ENCRYPTED + self._fernet.encrypt(text.encode()).decode() if self._fernet else text

    def open(self, sealed: str) -> str:
        """The text that was sealed, by any of the keys.

        Raises:
            ConfigurationError: where none of the configured keys opens it.
        """
        if not sealed.startswith(ENCRYPTED):
            return sealed
        try:
            if self._fernet is None:
                raise InvalidToken
            return self._fernet.decrypt(sealed.removeprefix(ENCRYPTED)).decode()
        except InvalidToken:
            raise ConfigurationError(
                [f"{PREFIX}ENCRYPTION_KEYS: expected to include the key that this Redis was written with"]
            ) from None

    def is_newest(self, sealed: str) -> bool:
        """Whether `sealed` is as `seal` would make it today: with the newest key, or plain where there is none."""
        try:
            Vault(self._keys[:1]).open(sealed)
        except ConfigurationError:
            return False
        return sealed.startswith(ENCRYPTED) == bool(self._keys)


class Identity:
    """Ids of invitations, keyed: they give no address away, and where the key is encrypted in Redis, whoever reads it
    cannot test an address against them either."""

    def __init__(self, key: bytes, sealed_key: str = "") -> None:
        self._key = key
        self.sealed_key = sealed_key

    @classmethod
    def of(cls, redis: "Redis", vault: Vault) -> "Identity":
        """The identity of this deployment; its key is made at the first start and kept in Redis, sealed with the
        newest encryption key."""
        sealed = cast(str | None, redis.set(ID_KEY, vault.seal(token_hex(32)), nx=True, get=True))
        sealed = sealed or str(redis.get(ID_KEY))
        key = vault.open(sealed)
        if not vault.is_newest(sealed):
            sealed = vault.seal(key)
            redis.set(ID_KEY, sealed)
        return cls(key.encode(), sealed)

    def natural(self, account: str, email: str, order: str | None) -> str:
        """The id of the one invitation of this account, address (in any case) and order."""
        return self._digest("order", account, email.casefold(), order or "")

    def keyed(self, account: str, idempotency_key: str) -> str:
        """The id of the one invitation of this account and idempotency key."""
        return self._digest("key", account, idempotency_key)

    def refused(self, raw: str) -> str:
        """The id under which a job that is not valid is kept."""
        return self._digest("refused", raw)

    def who(self, email: str) -> str:
        """What stands in Redis for an address: the same for each of its spellings (case, Unicode's forms, the domain in
        its ASCII form or not), and for no account or order."""
        local, at, domain = unicodedata.normalize("NFC", email.strip()).casefold().rpartition("@")
        with suppress(UnicodeError):
            domain = domain.encode("idna").decode()
        return self._digest("who", local + at + domain)[:22]

    def _digest(self, *parts: str) -> str:
        return hmac.new(self._key, "\0".join(parts).encode("utf-8", "surrogatepass"), sha256).hexdigest()[:32]
