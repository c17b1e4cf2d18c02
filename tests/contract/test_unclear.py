"""An answer that never came: each provider's rule for what the next one says, from the wire to the ledger."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from celery.exceptions import Retry
from redis import Redis

from config.accounts_file import accounts
from tasks.acceptance import acceptance
from tests.command_line import CommandLine
from tests.contract.cases import FOLDER, PROVIDERS, case
from tests.contract.playback import Act, Playback, answer, playback
from tests.deliveries import deliver_claim, take
from tests.property.passing_time import pass_time
from worker.ledger import ledger
from worker.records import Record, Records

LOST = Act(end="reset")
A_MINUTE_MS = 60_000


class Shop:
    """One account of a provider, whose calls go to a server, and one invitation in its line."""

    def __init__(self, cli: CommandLine, redis: Redis, provider: str, server: Playback) -> None:
        self.provider = provider
        self.redis = redis
        fields = {**json.loads((FOLDER / provider / "_account.json").read_text("utf-8")), "base_url": server.url}
        lines = (f"{name} = {json.dumps(value)}" for name, value in fields.items())
        cli.write("accounts.toml", "\n".join(["[accounts.shop]", *lines]))
        cli.set("LEASE_SECONDS", "60")
        ledger().configure(accounts().values())
        job = case(provider, "accepted").job.model_dump(mode="json", exclude_defaults=True)
        self.id = acceptance().accept([{**job, "account": "shop"}])[0].receipt.id

    def work(self) -> Record:
        """A minute passes, and what may pass is delivered. Returns the invitation."""
        pass_time(self.redis, A_MINUTE_MS)
        taken = take()
        assert list(taken) == [self.id]
        try:
            deliver_claim(taken[self.id])
        except Retry:
            assert self.record().state == "queued"
        return self.record()

    def record(self) -> Record:
        record = Records(self.redis).get(self.id)
        assert record is not None
        return record


def known(provider: str) -> Act:
    """What the provider answers to one that it has."""
    if provider != "webwinkelkeur":
        return answer(**case(provider, "duplicate").calls[0]["reply"])
    job = case(provider, "accepted").job
    now = datetime.now(ZoneInfo("Europe/Amsterdam")).strftime("%Y-%m-%d %H:%M:%S")
    times = {"created": now, "scheduled": now, "sent": False}
    row = {"email": job.email, "order": job.order, "delay": 0, "datetimes": times}
    return answer(200, {"status": "success", "message": "Invitations successfully retrieved!", "invitations": [row]})


def methods(server: Playback) -> list[str]:
    return [asked.line.partition(" ")[0] for asked in server.asked]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_next_answer_tells_that_the_call_had_arrived(cli: CommandLine, real_redis: Redis, provider: str) -> None:
    with playback(LOST, known(provider)) as server:
        shop = Shop(cli, real_redis, provider, server)
        first, second = shop.work(), shop.work()

    assert (first.state, first.attempts) == ("queued", 1)
    assert (second.state, second.reason) == ("accepted", "an earlier call had reached the provider")
    assert methods(server) == (["POST", "GET"] if provider == "webwinkelkeur" else ["POST", "POST"])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_tells_so_after_any_number_of_other_failures(cli: CommandLine, real_redis: Redis, provider: str) -> None:
    refused = answer(401, {"error": True})
    with playback(LOST, answer(429), answer(404, "gone"), refused, known(provider)) as server:
        shop = Shop(cli, real_redis, provider, server)
        states = [shop.work().state for _ in range(5)]

    assert states == ["queued"] * 4 + ["accepted"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_one_that_had_not_arrived_is_delivered_once(cli: CommandLine, real_redis: Redis, provider: str) -> None:
    empty = answer(200, {"status": "success", "invitations": []})
    good = answer(**case(provider, "accepted").calls[0]["reply"])
    asked = [LOST, empty, good] if provider == "webwinkelkeur" else [LOST, good]
    with playback(*asked) as server:
        shop = Shop(cli, real_redis, provider, server)
        states = [shop.work().state for _ in range(2)]

    assert states == ["queued", "accepted"]
    assert shop.record().reason == ""
    assert methods(server) == (["POST", "GET", "POST"] if provider == "webwinkelkeur" else ["POST", "POST"])


def test_where_the_list_cannot_tell_the_next_answer_does(cli: CommandLine, real_redis: Redis) -> None:
    unreadable = answer(200, {"status": "success", "invitations": [{"email": None}]})
    known_before = answer(**case("webwinkelkeur", "duplicate").calls[0]["reply"])
    with playback(LOST, unreadable, known_before) as server:
        shop = Shop(cli, real_redis, "webwinkelkeur", server)
        records = [shop.work() for _ in range(2)]

    assert [record.state for record in records] == ["queued", "accepted"]
    assert records[1].reason == "an earlier call had reached the provider"
    assert methods(server) == ["POST", "GET", "POST"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_where_no_call_was_unclear_a_duplicate_is_a_duplicate(
    cli: CommandLine, real_redis: Redis, provider: str
) -> None:
    with playback(answer(404, "gone"), answer(**case(provider, "duplicate").calls[0]["reply"])) as server:
        shop = Shop(cli, real_redis, provider, server)
        states = [shop.work().state for _ in range(2)]

    assert states == ["queued", "duplicate"]
