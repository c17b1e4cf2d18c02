"""Personal data as it stands in Redis, and the ids that do not give an address away."""

import hmac
from collections.abc import Sequence
from hashlib import sha256
from secrets import token_hex

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from redis import Redis
from redis.client import Pipeline

from config.errors import ConfigurationError
from config.settings import PLAIN, PREFIX, Settings
from worker.address import one_spelling
from worker.packing import pack, unpack

ID_KEY = "invitations:id_key"
PRINT_KEY = "invitations:id_key:print"
ENCRYPTED = "fernet:"
IN_CLEAR = "plain:"


class Vault:
    """Seals and opens texts: encrypted with Fernet where keys are configured; a long one is packed first."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        """`keys`: the newest, which seals, first; the word `plain` in its place seals nothing any more."""
        fernets = [Fernet(key) for key in keys if key != PLAIN]
        self._opens = MultiFernet(fernets) if fernets else None
        self._seals = fernets[0] if keys and keys[0] != PLAIN else None

    @classmethod
    def of(cls, settings: Settings) -> "Vault":
        return cls([key.get_secret_value() for key in settings.encryption_keys])

    @property
    def encrypts(self) -> bool:
        """Whether what it seals is encrypted."""
        return self._seals is not None

    def seal(self, text: str) -> str:
        packed = pack(text)
        if self._seals:
            return ENCRYPTED + self._seals.encrypt(packed.encode()).decode()
        return IN_CLEAR + packed if packed.startswith((ENCRYPTED, IN_CLEAR)) else packed

    def open(self, sealed: str) -> str:
        """The text that was sealed, by any of the keys.

        Raises:
            ConfigurationError: where none of the configured keys opens it.
        """
        if not sealed.startswith(ENCRYPTED):
            return unpack(sealed.removeprefix(IN_CLEAR))
        try:
            if self._opens is None:
                raise InvalidToken
            return unpack(self._opens.decrypt(sealed.removeprefix(ENCRYPTED)).decode())
        except InvalidToken:
            raise ConfigurationError(
                [
                    f"{PREFIX}ENCRYPTION_KEYS: expected to include the key that this Redis was written with; to change"
                    " keys, set the new and the old one, newest first, then run: invitations doctor --reencrypt"
                ]
            ) from None

    def is_newest(self, sealed: str) -> bool:
        """Whether `sealed` is as `seal` would make it today: with the newest key, or plain where there is none."""
        encrypted = sealed.startswith(ENCRYPTED)
        if self._seals is None or not encrypted:
            return self._seals is None and not encrypted
        try:
            self._seals.decrypt(sealed.removeprefix(ENCRYPTED))
        except InvalidToken:
            return False
        return True


class Identity:
    """Ids of invitations, keyed: they give no address away, and where the key is encrypted in Redis, whoever reads it
    cannot test an address against them either."""

    def __init__(self, key: bytes) -> None:
        # Ready for each digest: to begin with the key takes longer than all the rest.
        self._keyed = hmac.new(key, digestmod=sha256)
        # Of 32 random bytes: it tells whether two processes have the same key, and nothing of the key.
        self.fingerprint = sha256(key).hexdigest()

    @classmethod
    def of(cls, redis: "Redis", vault: Vault) -> "Identity":
        """The identity of this deployment; its key is made at the first start and kept in Redis, sealed. It is sealed
        anew by worker.reencrypt alone, after everything else, so that a process that lacks a key which is still
        needed does not start."""
        # Read first: a Redis that is full refuses a write that would write nothing.
        sealed = redis.get(ID_KEY) or redis.set(ID_KEY, vault.seal(token_hex(32)), nx=True, get=True)
        sealed = str(sealed or redis.get(ID_KEY))
        identity = cls(vault.open(sealed).encode())
        if redis.get(PRINT_KEY) != identity.fingerprint:
            identity._leave_print(redis, sealed)
        return identity

    def _leave_print(self, redis: "Redis", sealed: str) -> None:
        """Beside the key, by which acceptance knows that Redis did not lose it; nothing where it was replaced since."""

        def leave(pipe: Pipeline) -> None:
            same = pipe.get(ID_KEY) == sealed
            pipe.multi()
            if same:
                pipe.set(PRINT_KEY, self.fingerprint)

        redis.transaction(leave, ID_KEY)

    def natural(self, account: str, email: str, order: str | None) -> str:
        """The id of the one invitation of this account, address (in any spelling) and order."""
        return self._digest("order", account, one_spelling(email), order or "")

    def keyed(self, account: str, idempotency_key: str) -> str:
        """The id of the one invitation of this account and idempotency key."""
        return self._digest("key", account, idempotency_key)

    def refused(self, raw: str) -> str:
        """The id under which a job that is not valid is kept."""
        return self._digest("refused", raw)

    def who(self, email: str) -> str:
        """What stands in Redis for an address: the same for each of its spellings (case, Unicode's forms, the domain in
        its ASCII form or not), and for no account or order."""
        return self._digest("who", one_spelling(email.strip()))[:22]

    def _digest(self, *parts: str) -> str:
        keyed = self._keyed.copy()
        keyed.update("\0".join(parts).encode("utf-8", "surrogatepass"))
        return keyed.hexdigest()[:32]
