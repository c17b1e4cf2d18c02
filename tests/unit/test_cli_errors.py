"""What people read when something fails: what to do, and nothing that is secret."""

from importlib import import_module

import pytest
from redis import exceptions

from config.errors import ConfigurationError
from ops.cli.errors import CONFIGURATION_ERROR, MEANINGS, Failure, explain

SECRET = "redis://user:canary@10.0.0.1 of jane@example.com"


@pytest.mark.parametrize("name", [*MEANINGS, CONFIGURATION_ERROR])
def test_every_error_that_is_named_exists(name: str) -> None:
    module, _, kind = name.rpartition(".")

    assert issubclass(getattr(import_module(module), kind), Exception)


@pytest.mark.parametrize(
    ("error", "beginning"),
    [
        (exceptions.ConnectionError(SECRET), "Redis does not answer; check INVITATIONS_REDIS_URL"),
        (exceptions.MaxConnectionsError(SECRET), "Redis does not answer; check INVITATIONS_REDIS_URL"),
        (exceptions.TimeoutError(SECRET), "Redis does not answer in time"),
        (exceptions.AuthenticationError(SECRET), "Redis refuses the user or password"),
        (exceptions.OutOfMemoryError(SECRET), "Redis is full"),
        (exceptions.ReadOnlyError(SECRET), "Redis is a replica"),
        (exceptions.NoPermissionError(SECRET), "Redis does not let the user"),
        (exceptions.BusyLoadingError(SECRET), "Redis is still loading"),
        (exceptions.ResponseError(SECRET), "Redis refused a command"),
    ],
)
def test_trouble_with_redis_is_code_1_and_says_what_to_look_at(error: Exception, beginning: str) -> None:
    message, code = explain(error)

    assert code == 1
    assert message.startswith(beginning)
    assert "canary" not in message
    assert "jane" not in message


def test_what_the_system_refuses_is_said_in_its_words() -> None:
    assert explain(OSError(28, "No space left on device")) == ("No space left on device.", 1)


def test_an_operation_that_failed_speaks_for_itself() -> None:
    assert explain(Failure("No invitation has the id x.")) == ("No invitation has the id x.", 1)


def test_a_configuration_that_cannot_be_used_is_code_2() -> None:
    message, code = explain(ConfigurationError(["a.toml: one thing", "a.toml: another"]))

    assert (message, code) == (
        "The configuration cannot be used:\n  - a.toml: one thing\n  - a.toml: another",
        2,
    )


def test_a_fault_of_this_program_is_named_by_its_place_and_not_by_its_words() -> None:
    try:
        dict[str, str]()[SECRET]
    except KeyError as error:
        message, code = explain(error)

    assert code == 1
    assert message.startswith("Unexpected KeyError at test_cli_errors.py:")
    assert "canary" not in message
