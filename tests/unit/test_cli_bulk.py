"""What is said of many invitations that one step was taken for."""

import pytest

from ops.cli.bulk import Moved, report


def test_of_many_that_cannot_be_changed_it_is_told_why_by_count(capsys: pytest.CaptureFixture[str]) -> None:
    moved = Moved(5, {"a": "accepted", "b": "unknown", "c": "accepted"})

    report("cancelled", moved, named=False, as_json=False)

    told = capsys.readouterr()
    assert told.out == "5 cancelled, 3 not\n"
    assert told.err == "2 not: it is accepted\n1 not: no invitation has this id\n"
