"""Whoever was promised an answer or a reply gets it, whatever worker is killed in between."""

import json

import pytest

from tests.integration.deployment import Deployment, Job, job, within
from tests.integration.test_replies import TASK, add, replies
from tests.resilience.bootstrap import faulty_worker

# Eight workers start one after another.
pytestmark = pytest.mark.timeout(600)
KILLED = -9
QUEUE = "shop"


@pytest.fixture(autouse=True)
def _leases(deployment: Deployment) -> None:
    deployment.variables |= {"LEASE_SECONDS": "2"}
    for name, fields in list(deployment.accounts.items()):
        deployment.add_account(name, **{**fields, "timeout": 1})


def jobs(size: int) -> list[Job]:
    accounts = ("shop_nl", "portal", "reviews")
    to = {"task": TASK, "queue": QUEUE}
    return [job(accounts[number % 3], number, reply_to=to) for number in range(size)]


def told(deployment: Deployment) -> list[tuple[str, str]]:
    return [(one["id"], one["state"]) for one in replies(deployment, QUEUE)]


@pytest.mark.parametrize(("step", "times"), [("before_reply", 1), ("after_reply", 2)])
def test_a_worker_is_killed_over_a_reply(deployment: Deployment, step: str, times: int) -> None:
    dying = deployment.start("dying", faulty_worker(step, step))
    dying.wait_for(" ready.")
    [receipt] = deployment.accept(*jobs(1))
    assert dying.end() == KILLED
    assert deployment.state(receipt.id) == "accepted"
    deployment.start_worker()
    within(lambda: deployment.redis.xlen("invitations:replies") == 0, "nothing owed any more")
    assert told(deployment) == [(receipt.id, "accepted")] * times


def test_an_answer_is_given_by_whoever_takes_over(deployment: Deployment) -> None:
    dying = deployment.start("dying", faulty_worker("before_acknowledge", "before_acknowledge"))
    dying.wait_for(" ready.")
    entry = add(deployment, job("portal", 1), answer="yes")
    assert dying.end() == KILLED
    deployment.start_worker()
    key = f"invitations:answer:{entry}"
    within(lambda: deployment.redis.exists(key) == 1, "the answer")
    answer = json.loads(str(deployment.redis.lpop(key)))
    assert (answer["id"], answer["created"]) == (deployment.accept(job("portal", 1))[0].id, False)


def test_killed_workers_lose_no_reply(deployment: Deployment) -> None:
    size, kills = 600, 6
    deployment.simulator.control(latency_ms=30)
    receipts = deployment.accept(*jobs(size))
    workers = deployment.start_workers(2, CONCURRENCY="3")
    for kill in range(1, kills + 1):
        goal = size * kill // (kills + 1)
        within(lambda goal=goal: deployment.redis.llen(QUEUE) >= goal, f"{goal} replies", seconds=60)  # type: ignore[misc]
        workers.pop(0).kill()
        workers += deployment.start_workers(1, CONCURRENCY="3")
    ended = {(receipt.id, "accepted") for receipt in receipts}
    within(lambda: ended <= set(told(deployment)), "every reply", seconds=60)
    within(lambda: deployment.redis.xlen("invitations:replies") == 0, "nothing owed any more")
    # `sent` follows where the provider's list tells it.
    assert {state for _, state in told(deployment)} <= {"accepted", "sent", "duplicate"}
