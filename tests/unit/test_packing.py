"""Long texts take little room in Redis, and come out as they went in."""

import pytest

from worker.packing import PACKED, SHORT, pack, unpack

JOB = (
    '{"account":"shop_nl","email":"jane@example.com","order":"1001","delay":{"amount":5,"unit":"days"},"invite":false}'
)
# As the first release wrote it, and every later one must read it.
WRITTEN = "z:wy+blZiX6pBakZhbkJOKZqyhgQEofAjHEGqaqQUA"


@pytest.mark.parametrize("text", ["", "a", "x" * SHORT, "z:", "z:AAAA", "z:not base64", "é" * 65, JOB, PACKED + JOB])
def test_what_was_packed_comes_out_as_it_went_in(text: str) -> None:
    assert unpack(pack(text)) == text


def test_a_short_text_stays_as_it_is() -> None:
    assert pack("x" * SHORT) == "x" * SHORT


def test_a_job_takes_less_than_half_the_room_and_is_ascii() -> None:
    packed = pack(JOB.replace("jane", "jané"))

    assert packed.isascii()
    assert len(packed) < len(JOB) / 2


@pytest.mark.parametrize("text", ["{}", JOB, "z:", "z:not base64", "z:AAAA"])
def test_what_nobody_packed_is_read_as_it_stands(text: str) -> None:
    assert unpack(text) == text


def test_what_was_packed_once_can_be_read_for_ever() -> None:
    assert unpack(WRITTEN) == JOB
