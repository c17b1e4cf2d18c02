"""What a worker makes of the channel that kombu gives it, and of entries of the inbox."""

import json
from typing import Any

import pytest
from kombu import Connection

from tasks.faults import Unreadable
from tasks.unaccepted import NO_JOB, job_in, job_of_entry
from worker.messages import take_safely

Arguments = tuple[list[Any], dict[str, Any]]
JOB = {"account": "shop_nl", "email": "jane@example.com"}


def test_a_channel_that_comes_again_takes_its_messages_as_before(redis_url: str) -> None:
    with Connection(redis_url) as connection:
        channel = connection.default_channel
        take_safely(channel)
        safe = type(channel)

        take_safely(channel)

        assert type(channel) is safe


def test_an_entry_without_a_job_is_kept_whole() -> None:
    assert job_of_entry({"jobb": "one", "other": "two"}) == Unreadable("one\ntwo", NO_JOB)


@pytest.mark.parametrize("arguments", [([JOB], {}), ([], {"job": JOB}), ([], {"job": JOB, "priority": 1})])
def test_a_message_brings_its_job_as_the_argument_or_as_job(arguments: Arguments) -> None:
    assert job_in(*arguments) == JOB


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (([], {}), "job: was not given; expected it as the only argument: args=[job]"),
        (([None], {}), "job: was not given; expected it as the only argument: args=[job]"),
        (([], JOB), "job: was not given; expected it as the only argument: args=[job]"),
        (([JOB, JOB], {}), "job: expected it as the only argument, args=[job]: found others beside it"),
        (([JOB], {"priority": 1}), "job: expected it as the only argument, args=[job]: found others beside it"),
    ],
)
def test_arguments_that_are_not_one_job_are_kept_with_how_to_give_one(arguments: Arguments, told: str) -> None:
    found = job_in(*arguments)

    assert str(found.fault) == told
    assert json.loads(found.text) == {"args": arguments[0], "kwargs": arguments[1]}
