"""A provider may repeat whatever it was sent, in any encoding: its words are quoted without it."""

import pytest

from config.accounts import WemasyAccount
from tasks.job import Job
from tasks.providers.reasons import quote
from tests.resilience.canaries import IN_ANY_CASE, KEY, PERSONAL, TOKEN, found_in, job

ACCOUNT = WemasyAccount.model_validate({"name": "portal", "provider": "wemasy", "token": TOKEN})
JOB = Job.read(job("portal", "order-1", idempotency_key=KEY))
SHOWN = PERSONAL | {"bearer token": TOKEN}
# What no provider was ever seen to do, and a short word cannot be told from others after it.
NOT_READ = {"in a repr of bytes", "in hexadecimal"}
FORMS = sorted(set(IN_ANY_CASE) - NOT_READ)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SHOWN)
def test_nothing_of_the_job_and_no_secret_is_quoted(name: str, form: str) -> None:
    planted = IN_ANY_CASE[form](SHOWN[name])

    for text in (f"{planted} is not valid", f"the value '{planted}' is not valid", f"not valid: {planted.upper()}"):
        quoted = quote(text, JOB, ACCOUNT)
        assert found_in(quoted) == []
        assert "not valid" in quoted
