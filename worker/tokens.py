"""Access tokens that all workers of a deployment share, where a new token makes the one before it invalid."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from math import ceil

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from redis import Redis
from redis.exceptions import LockError

TOKEN_KEY = "invitations:token:{client}"
LOCK_KEY = "invitations:token-lock:{client}"
MARGIN_MS = 60_000
POLL_SECONDS = 0.05
GRACE_SECONDS = 5


class SharedTokens:
    """Keeps one token per client in Redis, encrypted with a key that only who knows the client's secret can
    make.

    Exactly one worker fetches at a time. The lock outlives the time that its holder has for it, so that a
    second worker fetches only after the first one died.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def get(
        self,
        client: str,
        fetch: Callable[[], tuple[str, int]],
        *,
        secret: str,
        timeout: float,
        refused: str | None = None,
    ) -> str:
        """The client's token: the kept one, unless it is about to end or is the one that was `refused`.

        `fetch` returns a new token and for how many milliseconds it is good, within `timeout` seconds;
        `timeout` is also how long another worker's fetch is waited for.

        Raises:
            TimeoutError: another worker was still fetching after `timeout`.
            Exception: whatever `fetch` raises; nothing is kept then.
        """
        fernet = Fernet(_key(client, secret))
        if token := self._kept(client, fernet, refused):
            return token
        lock = self._redis.lock(
            LOCK_KEY.format(client=client),
            timeout=ceil(timeout) + GRACE_SECONDS,
            sleep=POLL_SECONDS,
            blocking_timeout=timeout,
            raise_on_release_error=False,
        )
        try:
            with lock:
                return self._kept(client, fernet, refused) or self._renew(client, fernet, fetch)
        except LockError:
            raise TimeoutError("another worker is still fetching the token") from None

    def _kept(self, client: str, fernet: Fernet, refused: str | None) -> str | None:
        """The token in Redis; None if there is none, it is the refused one, or it was made with another
        secret."""
        sealed = self._redis.get(TOKEN_KEY.format(client=client))
        try:
            token = fernet.decrypt(sealed).decode() if sealed else None
        except InvalidToken:
            return None
        return None if token == refused else token

    def _renew(self, client: str, fernet: Fernet, fetch: Callable[[], tuple[str, int]]) -> str:
        token, good_for_ms = fetch()
        kept_ms = max(good_for_ms - min(MARGIN_MS, good_for_ms // 10), 1)
        self._redis.set(TOKEN_KEY.format(client=client), fernet.encrypt(token.encode()), px=kept_ms)
        return token


def _key(client: str, secret: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"invitations:token:{client}".encode())
    return urlsafe_b64encode(derived.derive(secret.encode()))
