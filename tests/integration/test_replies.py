"""Who enqueues hears back: answers of the inbox, and replies through Celery, by a real worker."""

import json
from base64 import b64decode
from typing import Any, cast

import pytest

from tests.integration.deployment import Deployment, Job, job, within
from worker.ledger import Ledger

TASK = "shop.invitation_ended"
LEASE_SECONDS = 2


@pytest.fixture(scope="module", autouse=True)
def _worker(deployment: Deployment) -> None:
    deployment.variables |= {"LEASE_SECONDS": str(LEASE_SECONDS)}
    for name, fields in list(deployment.accounts.items()):
        deployment.add_account(name, **{**fields, "timeout": 1})
    deployment.start_worker()


def named(queue: str, account: str, number: str, **fields: Any) -> Job:
    """A job whose end is told to that queue."""
    return job(account, number, reply_to={"task": TASK, "queue": queue}, **fields)


def replies(deployment: Deployment, queue: str) -> list[dict[str, Any]]:
    """What a Celery worker would be given, the first first."""
    found = []
    for text in reversed(cast(list[str], deployment.redis.lrange(queue, 0, -1))):
        message = json.loads(text)
        (told, *more), named_arguments, _ = json.loads(b64decode(message["body"]))
        assert (message["headers"]["task"], more, named_arguments) == (TASK, [], {})
        assert message["headers"]["id"] == f"{told['id']}-{told['state']}-{told['at']}"
        found.append(told)
    return found


def heard(deployment: Deployment, queue: str, count: int = 1) -> list[dict[str, Any]]:
    within(lambda: deployment.redis.llen(queue) >= count, f"{count} replies in {queue}")
    return replies(deployment, queue)


def add(deployment: Deployment, job: Any, **fields: Any) -> str:
    """The id of a new entry of the inbox."""
    whole: dict[Any, Any] = {"job": json.dumps(job), **fields}
    return str(deployment.redis.xadd("invitations:inbox", whole))


def by_stream(deployment: Deployment, job: Any, **fields: str) -> dict[str, Any] | None:
    """The answer to an entry of the inbox."""
    entry = add(deployment, job, **fields)
    found: Any = deployment.redis.blpop([f"invitations:answer:{entry}"], timeout=3)
    return cast(dict[str, Any], json.loads(found[1])) if found else None


def test_the_final_state_is_sent_and_again_when_it_went_out(deployment: Deployment) -> None:
    sent = named("shop-1", "shop_nl", "replied")
    [receipt] = deployment.accept(sent)

    [accepted] = heard(deployment, "shop-1")
    record = deployment.record(receipt.id)
    assert accepted == {
        "id": receipt.id,
        "account": "shop_nl",
        "order": sent["order"],
        "state": "accepted",
        "reason": "",
        "at": record.accepted_at,
    }
    Ledger(deployment.redis).sent(receipt.id, accepted["at"] + 1)
    assert [one["state"] for one in heard(deployment, "shop-1", 2)] == ["accepted", "sent"]
    within(lambda: deployment.redis.xlen("invitations:replies") == 0, "nothing owed any more")
    assert sent["email"] not in str(deployment.redis.lrange("shop-1", 0, -1))


def test_a_refusal_is_told_with_its_reason(deployment: Deployment) -> None:
    answer = by_stream(deployment, {**named("shop-2", "portal", "refused"), "email": "no address"}, answer="yes")

    fault = {"field": "email", "problem": "expected an e-mail address, such as jane@example.com"}
    assert answer == {"id": answer and answer["id"], "state": "refused", "created": True, "faults": [fault]}
    [told] = heard(deployment, "shop-2")
    assert (told["id"], told["state"]) == (answer["id"], "refused")
    assert told["reason"] == f"{fault['field']}: {fault['problem']}"


def test_the_inbox_answers_as_celery_does(deployment: Deployment) -> None:
    sent = job("portal", "answered")

    first, again = by_stream(deployment, sent, answer="yes"), by_stream(deployment, sent, answer="")

    assert first == {"id": first and first["id"], "state": "queued", "created": True}
    assert again == {"id": first["id"], "state": again and again["state"], "created": False}


def test_an_answer_that_nobody_takes_goes_by_itself_and_who_asks_for_none_gets_none(deployment: Deployment) -> None:
    asked = add(deployment, job("portal", "left"), answer="yes")
    silent = add(deployment, job("portal", "silent"))

    within(lambda: deployment.redis.xlen("invitations:inbox") == 0, "both accepted")

    assert 0 < deployment.redis.ttl(f"invitations:answer:{asked}") <= 86_400
    assert not deployment.redis.exists(f"invitations:answer:{silent}")


@pytest.mark.parametrize(
    "reply_to",
    [
        {"task": TASK, "queue": "invitations"},
        {"task": TASK, "queue": "unacked_mutex"},
        {"task": TASK, "queue": "shop:sessions"},
        {"task": TASK, "queue": "_kombu.binding.shop"},
        {"task": "invitations.deliver", "queue": "shop"},
        {"task": "shop ended", "queue": "shop"},
        {"task": TASK},
    ],
    ids=str,
)
def test_what_cannot_be_told_is_refused(deployment: Deployment, reply_to: dict[str, str]) -> None:
    answer = by_stream(deployment, job("portal", "nowhere", reply_to=reply_to), answer="yes")

    assert answer
    assert [fault["field"].split(".")[0] for fault in answer["faults"]] == ["reply_to"]
    assert deployment.records.get(answer["id"]) is not None
    assert not deployment.redis.hexists(f"invitations:record:{answer['id']}", "reply")


def test_a_reply_that_cannot_be_sent_waits_and_holds_up_no_other(deployment: Deployment) -> None:
    deployment.redis.set("shop-3", "somebody else's")
    [stuck] = deployment.accept(named("shop-3", "portal", "stuck"))
    deployment.wait_for(stuck.id, "accepted")
    [other] = deployment.accept(named("shop-4", "portal", "behind"))

    assert [told["id"] for told in heard(deployment, "shop-4")] == [other.id]
    assert deployment.redis.get("shop-3") == "somebody else's"
    deployment.redis.delete("shop-3")
    assert [told["id"] for told in heard(deployment, "shop-3")] == [stuck.id]


def test_the_worker_reads_no_queue_that_it_replies_to(deployment: Deployment) -> None:
    deployment.accept(named("shop-5", "portal", "read"))
    heard(deployment, "shop-5")

    # Celery's consumer begins anew, over all queues that it knows.
    deployment.redis.client_kill_filter(_type="normal", skipme=True)

    client = deployment.client()
    answer = client.send_task("invitations.send", args=[job("portal", "anew")], queue="invitations").get(timeout=20)
    deployment.wait_for(answer["id"], "accepted")
    [queues] = (client.control.inspect().active_queues() or {}).values()
    assert [queue["name"] for queue in queues] == ["invitations"]
    assert len(replies(deployment, "shop-5")) == 1
