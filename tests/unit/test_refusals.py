"""What the log tells of a job that is refused."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from tasks.acceptance import Accepted
from tasks.faults import Fault
from tasks.refusals import tell_if_refused
from worker.entries import Receipt

RECEIPT = Receipt("0" * 32, "refused", created=True)


def told(*fields: str) -> list[Any]:
    with capture_logs() as lines:
        tell_if_refused(Accepted(RECEIPT, tuple(Fault(field=field, problem="canary") for field in fields)))
    return lines


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        (["email"], "email"),
        (["customer.phone_numbers.3", "products.0.gtin"], "customer.phone_numbers.3, products.0.gtin"),
        (["job", "message"], "job, message"),
        (["order", "order"], "order"),
        (["jane_doe", "customer.1985", "31612345678", "email.order"], "unknown field"),
        (["jane_doe", "delay.unit"], "unknown field, delay.unit"),
        (["products.0.jane", "order.1"], "unknown field"),
    ],
)
def test_known_fields_are_named_and_others_are_not(fields: list[str], named: str) -> None:
    (line,) = told(*fields)

    assert (line["event"], line["log_level"], line["invitation"]) == ("job_refused", "warning", "0" * 32)
    assert line["fields"] == named
    assert "canary" not in str(line)


def test_of_a_job_that_is_not_refused_nothing_is_told() -> None:
    assert told() == []
