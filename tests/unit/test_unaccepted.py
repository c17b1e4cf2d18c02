"""What is read as the job in a message of Celery's, and in an entry of the inbox."""

import json
from typing import Any

import pytest

from tasks.faults import Unreadable
from tasks.unaccepted import NO_JOB, job_in, job_of_entry

Arguments = tuple[list[Any], dict[str, Any]]
JOB = {"account": "shop_nl", "email": "jane@example.com"}


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
