"""Personal data in Redis is sealed, and ids give no address away."""

from collections.abc import Callable

import pytest
from cryptography.fernet import Fernet
from fakeredis import FakeRedis

from config.errors import ConfigurationError
from config.settings import PLAIN, Settings
from worker.vault import ID_KEY, PRINT_KEY, Identity, Vault

TEXT = '{"email": "jane@example.com"}'
OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))


@pytest.mark.parametrize(
    "spelling",
    [
        "jos\u00e9@ex\u00e4mple.nl",
        "JOS\u00c9@EX\u00c4MPLE.NL",
        "jose\u0301@exa\u0308mple.nl",
        "Jos\u00e9@xn--exmple-cua.nl",
    ],
)
def test_every_spelling_of_an_address_has_one_id(spelling: str) -> None:
    identity = Identity(b"key")

    assert identity.natural("a", spelling, "1") == identity.natural("a", "jos\u00e9@ex\u00e4mple.nl", "1")
    assert identity.natural("a", spelling, "1") != identity.natural("a", "jose@example.nl", "1")


def test_without_keys_texts_stand_as_they_are() -> None:
    vault = Vault()

    assert vault.seal(TEXT) == TEXT
    assert vault.open(TEXT) == TEXT


def test_with_a_key_nothing_of_the_text_can_be_seen() -> None:
    sealed = Vault([NEW]).seal(TEXT)

    assert "jane" not in sealed
    assert sealed != Vault([NEW]).seal(TEXT), "equal texts are not seen to be equal"
    assert Vault([NEW]).open(sealed) == TEXT


@pytest.mark.parametrize("keys", [[OLD], [NEW, OLD], [OLD, NEW], [OTHER, NEW, OLD]])
def test_any_of_the_keys_opens(keys: list[str]) -> None:
    assert Vault(keys).open(Vault([OLD]).seal(TEXT)) == TEXT


def test_the_newest_key_seals() -> None:
    sealed = Vault([NEW, OLD]).seal(TEXT)

    assert Vault([NEW]).open(sealed) == TEXT
    with pytest.raises(ConfigurationError):
        Vault([OLD]).open(sealed)


def test_what_was_written_before_there_were_keys_can_still_be_read() -> None:
    assert Vault([NEW]).open(Vault().seal(TEXT)) == TEXT


def test_plain_before_the_keys_opens_with_them_and_seals_nothing() -> None:
    vault = Vault([PLAIN, OLD])

    assert vault.open(Vault([OLD]).seal(TEXT)) == TEXT
    assert vault.seal(TEXT) == TEXT
    assert (vault.encrypts, Vault().encrypts, Vault([OLD]).encrypts) == (False, False, True)


@pytest.mark.parametrize("text", ["fernet:", "fernet:gAAAA", "plain:", "plain:fernet:x", "plain:plain:"])
@pytest.mark.parametrize("keys", [[], [NEW], [PLAIN, NEW]])
def test_a_text_that_looks_sealed_is_opened_as_it_was(text: str, keys: list[str]) -> None:
    """Anybody may put such a text into the inbox; it is kept as refused."""
    assert Vault(keys).open(Vault(keys).seal(text)) == text


@pytest.mark.parametrize("keys", [[], [PLAIN], [OTHER], [OTHER, NEW]])
def test_a_missing_key_is_named_by_its_variable_and_shows_nothing(keys: list[str]) -> None:
    sealed = Vault([OLD]).seal(TEXT)

    with pytest.raises(ConfigurationError) as error:
        Vault(keys).open(sealed)

    message = str(error.value)
    assert "INVITATIONS_ENCRYPTION_KEYS" in message
    assert not [secret for secret in (*keys, OLD, sealed, "jane") if secret in message]
    assert error.value.__cause__ is None


def test_a_vault_is_made_of_the_settings() -> None:
    settings = Settings.model_validate({"encryption_keys": f"{NEW}, {OLD}"})

    vault = Vault.of(settings)

    assert vault.open(Vault([OLD]).seal(TEXT)) == TEXT
    assert Vault([NEW]).open(vault.seal(TEXT)) == TEXT


@pytest.fixture
def identity() -> Identity:
    return Identity.of(FakeRedis(decode_responses=True), Vault())


@pytest.mark.parametrize(
    "make",
    [
        lambda identity: identity.natural("shop", "jane@example.com", "1001"),
        lambda identity: identity.keyed("shop", "my key"),
        lambda identity: identity.refused("{}"),
    ],
    ids=["natural", "keyed", "refused"],
)
def test_ids_differ_from_deployment_to_deployment(identity: Identity, make: Callable[[Identity], str]) -> None:
    other = Identity.of(FakeRedis(decode_responses=True), Vault())

    assert make(identity) == make(identity)
    assert make(identity) != make(other)


def test_an_id_is_short_hexadecimal(identity: Identity) -> None:
    one = identity.natural("shop", "jane@example.com", "1001")

    assert len(one) == 32
    assert int(one, 16) > 0


@pytest.mark.parametrize("email", ["Jane@Example.COM", "JANE@EXAMPLE.COM", "jane@example.com"])
def test_the_case_of_an_address_makes_no_difference(identity: Identity, email: str) -> None:
    assert identity.natural("shop", email, "1001") == identity.natural("shop", "jane@example.com", "1001")


def test_no_order_is_an_empty_order(identity: Identity) -> None:
    assert identity.natural("shop", "jane@example.com", None) == identity.natural("shop", "jane@example.com", "")


def test_everything_else_makes_a_difference(identity: Identity) -> None:
    ids = [
        identity.natural("shop", "jane@example.com", "1001"),
        identity.natural("shop", "jane@example.com", "1002"),
        identity.natural("shop", "jane@example.com", "A"),
        identity.natural("shop", "jane@example.com", "a"),
        identity.natural("shop", "john@example.com", "1001"),
        identity.natural("other", "jane@example.com", "1001"),
        identity.natural("shop", "jane@example.com1001", None),
        identity.natural("shop", "jane@example.com", None),
        identity.keyed("shop", "jane@example.com"),
        identity.keyed("shop", "jane@example.com\x001001"),
        identity.keyed("shop", "1001"),
        identity.keyed("other", "1001"),
        identity.refused("shop\x001001"),
        identity.refused("1001"),
    ]

    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("raw", ["", "é ☕", "\udcff\udc00", "\x00"])
def test_any_job_has_an_id(identity: Identity, raw: str) -> None:
    assert len(identity.refused(raw)) == 32


def test_the_workers_of_a_deployment_agree_and_a_key_is_kept() -> None:
    redis, vault = FakeRedis(decode_responses=True), Vault([NEW])

    one, other = Identity.of(redis, vault), Identity.of(redis, vault)

    assert one.keyed("shop", "1") == other.keyed("shop", "1")
    assert str(redis.get(ID_KEY)).startswith("fernet:"), "the key is sealed as personal data is"


@pytest.mark.parametrize("keys", [[NEW, OLD], [OLD, NEW], [PLAIN, OLD]])
def test_no_start_seals_the_key_of_the_ids_anew(keys: list[str]) -> None:
    """Processes whose keys stand in another order would do it against each other."""
    redis = FakeRedis(decode_responses=True)
    first = Identity.of(redis, Vault([OLD]))
    sealed = redis.get(ID_KEY)

    again = Identity.of(redis, Vault(keys))

    assert again.keyed("shop", "1") == first.keyed("shop", "1")
    assert redis.get(ID_KEY) == sealed


def test_an_identity_leaves_a_fingerprint_that_is_the_same_however_its_key_is_sealed() -> None:
    redis = FakeRedis(decode_responses=True)
    identity = Identity.of(redis, Vault([OLD]))
    key = Vault([OLD]).open(str(redis.get(ID_KEY)))

    redis.set(ID_KEY, Vault([NEW]).seal(key))

    assert Identity.of(redis, Vault([NEW])).fingerprint == identity.fingerprint == redis.get(PRINT_KEY)
    assert key not in identity.fingerprint


def test_the_fingerprint_follows_a_key_that_was_replaced() -> None:
    redis = FakeRedis(decode_responses=True)
    before = Identity.of(redis, Vault())

    redis.delete(ID_KEY)
    after = Identity.of(redis, Vault())

    assert after.fingerprint == redis.get(PRINT_KEY) != before.fingerprint


@pytest.mark.parametrize(
    ("sealed_with", "keys", "newest"),
    [
        ([], [], True),
        ([], [NEW], False),
        ([OLD], [OLD], True),
        ([OLD], [NEW, OLD], False),
        ([NEW, OLD], [NEW], True),
        ([OLD], [], False),
        ([OLD], [PLAIN, OLD], False),
        ([PLAIN, OLD], [PLAIN, OLD], True),
        ([PLAIN, OLD], [OLD], False),
    ],
)
def test_a_vault_knows_what_it_would_seal_differently(sealed_with: list[str], keys: list[str], newest: bool) -> None:
    assert Vault(keys).is_newest(Vault(sealed_with).seal(TEXT)) is newest
