"""A life of invitations by real workers: who asked for none is not called, and who is forgotten leaves no trace."""

import json
from typing import Any

import pytest

from ops.simulator import SimulatorOptions
from tasks.upkeep import drop_old_events, erase_old
from tests.integration.deployment import Deployment, Job, within
from tests.support import everything_in
from worker.ledger import Ledger
from worker.suppressed import OptOuts
from worker.vault import Identity, Vault

FINISHED_AS = ("accepted", "sent", "duplicate", "rejected", "failed", "refused", "suppressed", "cancelled")


@pytest.fixture(scope="module")
def simulator_options() -> SimulatorOptions:
    return SimulatorOptions(port=0, send_after=1)


@pytest.fixture(scope="module", autouse=True)
def _worker(deployment: Deployment) -> None:
    deployment.add_account("once", provider="wemasy", token="token-of-once", max_attempts=1)
    deployment.add_account("slow", provider="wemasy", token="token-of-slow", timeout=10)
    deployment.variables["RETRIEVE_SECONDS"] = "1"
    deployment.start_worker()
    deployment.start_beat()


def job(account: str, name: str, number: str, **fields: Any) -> Job:
    """Everything personal in it ends in the `name` of its test."""
    return {
        "account": account,
        "email": f"{number}@mail-{name}.example.com",
        "order": f"{number}-order-{name}",
        "customer": {"full_name": f"Jane doe-{name}", "phone_numbers": [f"phone-{name}"]},
        **fields,
    }


def command(deployment: Deployment, *arguments: str) -> Any:
    """What it printed as JSON."""
    ran = deployment.run_python("-m", "ops.cli", *arguments, "--json")
    assert ran.end() == 0, ran.text
    return json.loads(ran.text)


def send(deployment: Deployment, job: Job) -> str:
    """By Celery, so that its queue and its results hold what they hold. Returns the id."""
    answer = deployment.client().send_task("invitations.send", args=[job], queue="invitations").get(timeout=20)
    return str(answer["id"])


def traces(deployment: Deployment, name: str) -> list[str]:
    everything = everything_in(deployment.redis)
    return [word for word in (f"mail-{name}", f"order-{name}", f"doe-{name}", f"phone-{name}") if word in everything]


def end_all(deployment: Deployment, name: str) -> dict[str, tuple[str, str]]:
    """Address and id of an invitation for each state in which one can end."""
    jobs = {state: job("portal", name, state) for state in FINISHED_AS}
    jobs["sent"]["account"] = "shop_nl"
    jobs["failed"]["account"] = jobs["rejected"]["account"] = "once"
    jobs["refused"]["unknown"] = "field"
    jobs["cancelled"]["delay"] = {"amount": 1, "unit": "days"}
    command(deployment, "suppress", "add", "--email", jobs["suppressed"]["email"])
    send(deployment, {**jobs["duplicate"], "idempotency_key": f"order-{name}"})
    ids = {}
    for state, one in jobs.items():
        fault = {"failed": "reset_before", "rejected": "status:422"}.get(state)
        if fault:
            key = deployment.key_at_provider("once")
            deployment.simulator.control(account=key, fault=fault, count=1)
        ids[state] = send(deployment, one)
        if state == "cancelled":
            command(deployment, "cancel", ids[state])
        deployment.wait_for(ids[state], state)
    return {state: (jobs[state]["email"], one) for state, one in ids.items()}


def test_who_asked_for_none_is_never_called(deployment: Deployment) -> None:
    waits, announced, new = (job(account, "none", "out", order=account) for account in ("shop_nl", "portal", "reviews"))
    waiting = send(deployment, {**waits, "delay": {"amount": 9, "unit": "hours"}})
    # Of this one only the list is told, as where it is on its way to a worker just now.
    late = send(deployment, {**announced, "delay": {"amount": 5, "unit": "seconds"}})
    identity = Identity.of(deployment.redis, Vault())
    OptOuts(Ledger(deployment.redis)).add([identity.who(announced["email"])], "portal")
    other = send(deployment, job("portal", "none", "in", delay={"amount": 5, "unit": "seconds"}))

    told = command(deployment, "suppress", "add", "--email", waits["email"].upper(), "--account", "shop_nl")
    command(deployment, "suppress", "add", "--email", new["email"], "--account", "reviews")
    ids = [waiting, late, send(deployment, new)]
    deployment.redis.xadd("invitations:inbox", {"job": json.dumps({**new, "order": "by-stream"})})

    assert (told["added"], told["ended"]) == (1, 1)
    deployment.wait_for(other, "accepted")
    deployment.wait_for(late, "suppressed")
    within(lambda: deployment.count("reviews", "suppressed") == 2, "the job of the stream suppressed")
    assert [deployment.state(one) for one in ids] == ["suppressed"] * 3
    assert [deployment.calls(one) for one in (waits, announced, new)] == [[], [], []]


def test_when_its_time_is_over_nothing_of_any_customer_is_left(deployment: Deployment) -> None:
    ended = end_all(deployment, "old")
    assert {state: deployment.state(one) for state, (_, one) in ended.items()} == {
        state: state for state in FINISHED_AS
    }
    assert len(traces(deployment, "old")) == 4
    ledger = Ledger(deployment.redis)
    within(lambda: deployment.redis.hlen("unacked") == 0, "every message acknowledged")

    erase_old(ledger, 0)
    drop_old_events(ledger, 0)

    assert traces(deployment, "old") == []
    assert deployment.redis.keys("invitations:record:*") == []
    assert deployment.redis.hlen("invitations:suppressed") > 0, "who asked for none is still not to be invited"


def test_who_is_forgotten_leaves_nothing_whatever_state_it_is_in(deployment: Deployment) -> None:
    ended = end_all(deployment, "gone")
    waiting = job("portal", "gone", "waiting", delay={"amount": 1, "unit": "days"})
    held = job("slow", "gone", "held")
    deployment.simulator.control(account=deployment.key_at_provider("slow"), fault="hang")
    ids = [send(deployment, waiting), send(deployment, held)]
    within(lambda: deployment.calls(held) != [], "a call on its way")
    addresses = deployment.folder / "addresses.txt"
    addresses.write_text("\n".join([email for email, _ in ended.values()] + [waiting["email"], held["email"]]), "utf-8")
    assert len(traces(deployment, "gone")) == 4

    told = command(deployment, "forget", "--file", str(addresses), "--yes")

    assert (told["forgotten"], told["accounts"]["slow"]) == (len(ended) + 3, {"delivering": 1})
    assert [deployment.wait_for(one, "cancelled").reason for one in ids] == ["forgotten", "forgotten"]
    within(lambda: deployment.redis.hlen("unacked") == 0, "every message acknowledged")
    assert traces(deployment, "gone") == []
    assert [deployment.state(one) for _, one in ended.values()] == list(FINISHED_AS)
    assert len(deployment.calls(held)) == 1
