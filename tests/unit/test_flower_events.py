"""What Flower keeps of an event: nothing that a client tells of its jobs, and no address in what became of them."""

from typing import Any

import pytest

from worker.flower_events import MaskedState, masked
from worker.masking import MASKED

ADDRESS = "jane@example.com"


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ({"args": f"({{'email': '{ADDRESS}'}},)", "kwargs": "{}"}, {"args": MASKED, "kwargs": MASKED}),
        ({"kwargs": "{'account': 'shop_nl'}"}, {"kwargs": "{'account': 'shop_nl'}"}),
        ({"kwargs": f"{{'account': '{ADDRESS}'}}"}, {"kwargs": MASKED}),
        ({"args": None}, {"args": MASKED}),
        ({"result": f"'{ADDRESS}'"}, {"result": "'(address)'"}),
        ({"exception": f"KeyError('{ADDRESS}')"}, {"exception": "KeyError('(address)')"}),
        (
            {"traceback": "at https://user:code@host/path?code=1", "exception": None},
            {"traceback": "at https://host/(hidden)", "exception": None},
        ),
    ],
)
def test_of_an_event_of_a_task(told: dict[str, Any], kept: dict[str, Any]) -> None:
    assert masked({"type": "task-sent", "uuid": "1", **told}) == {"type": "task-sent", "uuid": "1", **kept}


def test_it_is_masked_before_it_is_kept() -> None:
    state = MaskedState(max_tasks_in_memory=2)
    where = {"hostname": "shop@host", "timestamp": 1.0, "local_received": 1.0, "clock": 1, "pid": 1, "utcoffset": 0}

    state.event({**where, "type": "task-sent", "uuid": "1", "name": "invitations.send", "args": f"('{ADDRESS}',)"})

    assert (state.tasks["1"].args, state.search_engine.matching_ids("jane")) == (MASKED, set())
