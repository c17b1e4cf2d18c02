"""The search for canaries finds them, else the tests that find none say nothing."""

from base64 import b64encode, urlsafe_b64encode

import pytest

from tests.resilience.canaries import CANARIES, IN_ANY_CASE, found_in, job, leaks


@pytest.mark.parametrize("form", IN_ANY_CASE)
@pytest.mark.parametrize("name", CANARIES)
def test_every_canary_is_found_in_every_form(name: str, form: str) -> None:
    planted = IN_ANY_CASE[form](CANARIES[name])

    assert name in found_in(f"before {planted} after")
    assert name in found_in(f"before{planted.upper()}after")


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
@pytest.mark.parametrize("before", ["", "x", "xy", "xyz", "{'key': "])
@pytest.mark.parametrize("name", CANARIES)
def test_every_canary_is_found_in_base64(name: str, before: str, encode: type) -> None:
    assert name in found_in(encode(f"{before}{CANARIES[name]}, after".encode()).decode())


def test_a_whole_job_shows_everything_personal_and_its_place_is_named() -> None:
    texts = {"here": str(job("portal", "order-1", idempotency_key="boomklever")), "there": "order-1 of portal"}

    assert list(leaks(texts)) == ["here"]
    assert len(leaks(texts)["here"]) == 19


def test_nothing_is_found_where_nothing_is() -> None:
    assert found_in("invitation 0123456789abcdef settled: the provider answered 429: too many calls") == []
