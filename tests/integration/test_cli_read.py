"""`invitations show`, `list`, `status`, `watch` and `accounts`: what people and programs read."""

import json
import re

import pytest
from cryptography.fernet import Fernet

from tests.command_line import CommandLine
from tests.integration.steps import claim, send, settle

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
NOTHING = dict.fromkeys(
    ("accepted", "sent", "duplicate", "rejected", "failed", "refused", "suppressed", "cancelled"), 0
)


def test_show_tells_the_whole_record_and_nothing_of_the_customer(cli: CommandLine) -> None:
    invitation = send(cli, "1001")
    settle(invitation, state="accepted", counts=True, reference="ref-7", sends_in_ms=5_000)

    ended = cli("show", invitation, "--json")

    shown = ended.data
    assert {name: shown[name] for name in ("id", "account", "order", "state", "reason", "attempts", "throttled")} == {
        "id": invitation,
        "account": "shop_nl",
        "order": "1001",
        "state": "accepted",
        "reason": "",
        "attempts": 1,
        "throttled": 0,
    }
    assert (shown["provider_reference"], shown["sent_at"], shown["faults"]) == ("ref-7", None, [])
    assert all(TIME.fullmatch(shown[name]) for name in ("created_at", "due_at", "accepted_at", "sends_at"))
    assert [set(change) for change in shown["history"]] == [{"at", "state", "reason"}] * 3
    assert [change["state"] for change in shown["history"]] == ["queued", "delivering", "accepted"]
    assert shown["history"][-1]["at"] == shown["accepted_at"]
    assert "canary" not in ended.out.lower()


def test_show_tells_people_what_happened_in_words(cli: CommandLine) -> None:
    invitation = send(cli, "[red]1001")
    settle(invitation, state="rejected", reason="the order is too old")

    ended = cli("show", invitation)

    assert (ended.code, ended.err) == (0, "")
    assert ["order", "[red]1001"] in [line.split() for line in ended.out.splitlines()]
    told = [re.split(r" {2,}", line) for line in ended.out.splitlines()[-3:]]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", when) for when, _ in told)
    assert [words for _, words in told] == [
        "came in",
        "a worker calls the provider",
        "rejected: the provider will never take it: the order is too old",
    ]
    assert "canary" not in ended.out.lower()


def test_show_says_when_one_that_waits_comes_up_and_what_holds_it(cli: CommandLine) -> None:
    later = send(cli, "1")
    settle(later, state="queued", reason="timed out", counts=True, wait_ms=7_200_000)
    cli("pause", "shop_nl", "--reason", "wrong template")

    [waits] = cli("show", later).out.splitlines()[-1:]

    held = "The gate of shop_nl is paused: wrong template. When that is mended: invitations resume shop_nl."
    assert re.fullmatch(rf"It waits: due in (2 h|1 h 59 min)\. {re.escape(held)}", waits)


def test_show_says_what_one_that_is_due_waits_for_at_an_open_gate(cli: CommandLine) -> None:
    cli.set("ACCOUNTS__PORTAL__CONCURRENCY", "1")
    cli.set("ACCOUNTS__PORTAL__LIMIT", "20/minute")
    first, second = send(cli, "1", "portal"), send(cli, "2", "portal")

    [by_limit] = cli("show", second).out.splitlines()[-1:]
    claim(first)
    [by_calls] = cli("show", second).out.splitlines()[-1:]

    assert by_limit.endswith(" 2 of portal wait, and its limit is 20 per 60 s.")
    assert " 1 calls of portal run, and no more may at once; one of a worker that died counts until its" in by_calls


def test_show_prints_the_job_only_when_asked(cli: CommandLine) -> None:
    invitation = send(cli, "1001")

    job = cli("show", invitation, "--job").data

    assert (job["account"], job["email"], job["order"]) == ("shop_nl", "canary.jane@example.com", "1001")


def test_the_faults_of_a_refused_job_are_shown_once(cli: CommandLine) -> None:
    refused = cli("send", "--account", "portal", "--email", "nobody", "--language", "nl", "--json").data["id"]

    shown = cli("show", refused).out

    told = re.findall(r"^fault +(.+?): (.+)$", shown, re.MULTILINE)
    assert [field for field, _ in told] == ["email"]
    assert [shown.count(problem) for _, problem in told] == [1]
    assert shown.splitlines()[-1].endswith("refused: the job was not valid")


def test_a_refused_job_can_be_mended_and_sent_again(cli: CommandLine) -> None:
    cli.set("ENCRYPTION_KEYS", Fernet.generate_key().decode())
    refused = cli("send", "--account", "portal", "--email", "nobody", "--order", "7", "--json").data["id"]

    job = cli("show", refused, "--job").data
    sent = cli("send", cli.write("job.json", json.dumps({**job, "email": "jane@example.com"})), "--json")

    assert job == {"account": "portal", "email": "nobody", "order": "7"}
    assert (sent.code, sent.data["state"]) == (0, "queued")


def test_a_job_that_is_no_json_is_printed_as_it_came(cli: CommandLine) -> None:
    refused = cli("send", cli.write("job.json", '{"account": "\x1bshop\n'), "--json").data["id"]

    ended = cli("show", refused, "--job")

    assert (ended.code, ended.out) == (0, '{"account": "\ufffdshop\n')
    assert ended.err == "It is not JSON; this is what came:\n"


@pytest.mark.parametrize("arguments", [["show", "0000"], ["show", "0000", "--json"]])
def test_an_id_that_nobody_has_is_code_1(cli: CommandLine, arguments: list[str]) -> None:
    ended = cli(*arguments)

    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        "No invitation has the id 0000; `invitations list` shows some. Of an order: invitations list --order 0000\n"
    )
    assert "--order" not in cli("show", "0" * 32).err


def test_list_shows_what_changed_last_first(cli: CommandLine) -> None:
    old, done, new = send(cli, "1"), send(cli, "2", "portal"), send(cli, "3")
    settle(done, state="failed", reason="timed out")

    listed = cli("list", "--json").data

    assert [each["id"] for each in listed] == [done, new, old]
    assert [each["state"] for each in listed] == ["failed", "queued", "queued"]
    assert "history" not in listed[0]
    assert "canary" not in cli("list").out.lower()


def test_list_takes_an_account_a_state_and_a_limit(cli: CommandLine) -> None:
    shops = [send(cli, str(number)) for number in range(3)]
    portal = send(cli, "4", "portal")
    cancelled = send(cli, "5", "portal")
    cli("cancel", cancelled)

    def ids(*arguments: str) -> list[str]:
        return [each["id"] for each in cli("list", "--json", *arguments).data]

    assert ids("--account", "portal") == [cancelled, portal]
    assert ids("--state", "cancelled") == [cancelled]
    assert ids("--account", "shop_nl", "--state", "cancelled") == []
    assert ids("--state", "queued", "--limit", "2") == [portal, shops[2]]
    assert set(ids("--state", "queued")) == {*shops, portal}


def test_what_was_announced_and_not_begun_is_listed_as_queued(cli: CommandLine) -> None:
    begun, announced = send(cli, "1"), send(cli, "2")
    claim(begun)

    assert [each["id"] for each in cli("list", "--state", "queued", "--json").data] == [announced]
    assert [each["id"] for each in cli("list", "--state", "delivering", "--json").data] == [begun]


def test_an_empty_list_is_no_error(cli: CommandLine) -> None:
    assert cli("list", "--json").data == []
    assert (cli("list").code, cli("list").out) == (0, "")


def test_a_list_of_an_account_that_does_not_exist_names_those_that_do(cli: CommandLine) -> None:
    ended = cli("list", "--account", "shop_de")

    assert (ended.code, ended.out) == (2, "")
    assert "no account is named 'shop_de'; there are: portal, reviews, shop_nl" in ended.err


def test_jobs_of_no_known_account_are_listed_under_a_dash_and_counted(cli: CommandLine) -> None:
    cli("send", "--account", "shop_de", "--email", "a@example.com")

    [listed] = cli("list", "--account", "-", "--json").data

    assert (listed["account"], listed["reason"]) == ("-", "account: is not configured here; did you mean shop_nl?")
    assert cli("status", "--json").data["refused_unknown_account"] == 1
    told = "Refused without a known account: 1; `invitations list --account - --state refused`"
    assert told in cli("status").out
    [refused] = cli("list", "--account", "-", "--state", "refused", "--json").data
    assert refused == listed


def test_status_tells_how_every_account_stands(cli: CommandLine) -> None:
    for order in ("1", "2"):
        send(cli, order)
    settle(send(cli, "3"), state="rejected", reason="no")
    cli("pause", "portal", "--reason", "template [wrong]")

    told = cli("status", "--json").data

    assert set(told) == {"accounts", "refused_unknown_account"}
    assert list(told["accounts"]) == ["shop_nl", "portal", "reviews"]
    shop, portal = told["accounts"]["shop_nl"], told["accounts"]["portal"]
    assert {name: shop[name] for name in ("provider", "gate", "gate_until", "gate_reason", "limit")} == {
        "provider": "webwinkelkeur",
        "gate": "open",
        "gate_until": None,
        "gate_reason": None,
        "limit": None,
    }
    assert shop["waiting"] + shop["delivering"] == 2
    assert shop["states"] == {
        **NOTHING,
        "queued": shop["waiting"],
        "delivering": shop["delivering"],
        "rejected": 1,
    }
    assert (portal["gate"], portal["gate_reason"], portal["limit"]) == (
        "paused",
        "template [wrong]",
        "60 per 60 s",
    )
    table = [line.split() for line in cli("status").out.splitlines()]
    assert table[0][:3] == ["account", "provider", "gate"]
    assert table[2] == [
        "portal",
        "wemasy",
        "paused",
        "60",
        "per",
        "60",
        "s",
        "0",
        "0",
        "0",
        "template",
        "[wrong]",
    ]


def test_status_tells_until_when_a_gate_is_closed_and_why(cli: CommandLine) -> None:
    settle(send(cli, "1"), state="queued", answer="throttled", retry_ms=3_600_000, jitter=0, throttled=True)

    shop = cli("status", "--json").data["accounts"]["shop_nl"]

    assert (shop["gate"], shop["gate_reason"]) == ("closed", "rate limited")
    assert TIME.fullmatch(shop["gate_until"])
    assert re.search(r"shop_nl .* closed .* rate limited \(opens in (1 h|59 min \d+ s)\)", cli("status").out)


def test_accounts_are_listed_without_their_secrets(cli: CommandLine) -> None:
    as_json, in_words = cli("accounts", "--json"), cli("accounts")

    told = as_json.data["accounts"]
    assert {name: account["provider"] for name, account in told.items()} == {
        "shop_nl": "webwinkelkeur",
        "portal": "wemasy",
        "reviews": "feedbackcompany",
    }
    assert [told["portal"][name] for name in ("gate", "limit_group", "limit", "concurrency")] == [
        "portal",
        None,
        "60 per 60 s",
        10,
    ]
    assert [told["reviews"][name] for name in ("gate", "limit_group", "limit")] == [
        "group.acme",
        "acme",
        None,
    ]
    assert [line.split()[0] for line in in_words.out.splitlines()] == [
        "account",
        "shop_nl",
        "portal",
        "reviews",
    ]
    assert "canary" not in as_json.out + in_words.out


def test_accounts_need_no_redis(cli: CommandLine) -> None:
    cli.take_redis_away()

    assert cli("accounts").code == 0


def test_watch_in_a_pipe_is_one_look(cli: CommandLine) -> None:
    send(cli, "1")

    ended = cli.process("watch")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out == cli("status").out
    assert "\x1b" not in ended.out


def test_watch_on_a_terminal_is_drawn_again_until_its_time_is_over(cli: CommandLine) -> None:
    once, drawn_once = cli.on_terminal("watch", "--for", "0")
    again, drawn_again = cli.on_terminal("watch", "--for", "1")

    assert (once, again) == (0, 0)
    assert drawn_again.count("shop_nl") == drawn_once.count("shop_nl") + 1
    assert "3 accounts: " in drawn_once


def test_watch_ends_quietly_when_it_is_interrupted(cli: CommandLine) -> None:
    code, shown = cli.on_terminal("watch", interrupt_at="shop_nl")

    assert code == 0
    assert "Traceback" not in shown
    assert "Abort" not in shown


def test_colours_are_for_terminals_that_want_them(cli: CommandLine) -> None:
    assert "\x1b[32mopen" in cli.on_terminal("status")[1]
    assert "\x1b[32m" not in cli.on_terminal("status", NO_COLOR="1")[1]
