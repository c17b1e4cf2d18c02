"""What a worker makes of the channel that kombu gives it, and of entries of the inbox."""

from kombu import Connection

from tasks.faults import Unreadable
from tasks.unaccepted import NO_JOB, job_of_entry
from worker.messages import take_safely


def test_a_channel_that_comes_again_takes_its_messages_as_before(redis_url: str) -> None:
    with Connection(redis_url) as connection:
        channel = connection.default_channel
        take_safely(channel)
        safe = type(channel)

        take_safely(channel)

        assert type(channel) is safe


def test_an_entry_without_a_job_is_kept_whole() -> None:
    assert job_of_entry({"jobb": "one", "other": "two"}) == Unreadable("one\ntwo", NO_JOB)
